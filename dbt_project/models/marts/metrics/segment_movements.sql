-- By the scores of each month end, damped or not: so that what is told of a month stays as it is told.
with

days as (

    select evaluation_date from {{ ref('int_rfm_days') }}
    where is_month_end

),

months as (

    select
        cast(date_trunc('month', this_month.evaluation_date) as date) as month,
        last_month.evaluation_date as from_date,
        this_month.evaluation_date as to_date
    from days as this_month
    inner join days as last_month
        on last_month.evaluation_date = cast(date_trunc('month', this_month.evaluation_date) - interval '1' day as date)

),

began as (

    select history.customer_id, months.month, history.segment_by_scores as segment
    from {{ ref('customer_rfm_history') }} as history
    inner join months on history.as_of_date = months.from_date

),

ended as (

    select history.customer_id, months.month, history.segment_by_scores as segment
    from {{ ref('customer_rfm_history') }} as history
    inner join months on history.as_of_date = months.to_date

),

counted as (

    select
        coalesce(began.month, ended.month) as month,
        coalesce(began.segment, '(new)') as from_segment,
        coalesce(ended.segment, '(left)') as to_segment,
        cast(count(*) as integer) as customers
    from began
    full outer join ended
        on
            began.customer_id = ended.customer_id
            and began.month = ended.month
    group by 1, 2, 3

),

final as (

    select
        month,
        from_segment,
        to_segment,
        customers,
        {{ share('customers', 'sum(customers) over (partition by month, from_segment)') }} as share
    from counted

)

select * from final
