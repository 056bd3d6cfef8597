with

buyers as (

    select
        customer_id,
        min(purchase_date) as first_date,
        min(case when gap_days is not null then purchase_date end) as second_date
    from {{ ref('int_purchase_days') }}
    group by customer_id

),

judged as (

    select
        *,
        cast(date_trunc('month', first_date) as date) as cohort_month,
        first_date <= {{ days_before(as_of_date(), rule('retention.repurchase_days')) }} as is_over,
        {{ days_between('first_date', 'second_date') }} <= {{ rule('retention.repurchase_days') }} as is_soon
    from buyers

),

counted as (

    select
        cohort_month,
        cast(count(*) as integer) as customers,
        {{ count_where('second_date is not null') }} as repeat_customers,
        {{ count_where('is_over') }} as customers_observed,
        {{ count_where('is_over and is_soon') }} as repurchased
    from judged
    group by cohort_month

),

final as (

    select
        cohort_month,
        customers,
        repeat_customers,
        {{ share('repeat_customers', 'customers') }} as repeat_rate,
        customers_observed,
        case when customers_observed > 0 then repurchased end as repurchased,
        {{ share('repurchased', 'customers_observed') }} as repurchase_rate
    from counted

)

select * from final
