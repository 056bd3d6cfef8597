-- How many people bought again after a complaint was resolved, and how many buyers of the same month who had none, once
-- their days are over. Frequent buyers have more occasions to complain: all are counted by the days they had bought on.
with

judged as (

    select
        month,
        least(purchase_days, {{ rule('lifecycle.majority_purchase_days') }}) as purchase_days,
        has_complained,
        coalesce({{ days_between('start_date', 'next_date') }} <= {{ rule('service.recovery_days') }}, false) as is_back
    from {{ ref('int_recovery_cases') }}
    where start_date <= {{ days_before(as_of_date(), rule('service.recovery_days')) }}

),

final as (

    select
        month,
        cast(purchase_days as integer) as purchase_days,
        {{ count_where('has_complained') }} as complainers,
        {{ count_where('has_complained and is_back') }} as complainers_back,
        {{ count_where('not has_complained') }} as others,
        {{ count_where('not has_complained and is_back') }} as others_back
    from judged
    group by month, purchase_days

)

select * from final
