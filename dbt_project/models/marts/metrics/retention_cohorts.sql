with

purchases as (

    select
        customer_id,
        cast(date_trunc('month', purchase_date) as date) as purchase_month,
        cast(date_trunc('month', min(purchase_date) over (partition by customer_id)) as date) as cohort_month
    from {{ ref('int_purchase_days') }}

),

sizes as (

    select cohort_month, cast(count(distinct customer_id) as integer) as customers
    from purchases
    group by cohort_month

),

returned as (

    select
        cohort_month,
        {{ months_between('cohort_month', 'purchase_month') }} as months_since,
        cast(count(distinct customer_id) as integer) as retained
    from purchases
    group by cohort_month, months_since

),

-- Every cohort has a row for every month up to the as-of month; months that are not over yet stay empty.
months as (

    select distinct cast(date_trunc('month', day) as date) as month from {{ ref('int_calendar') }}

),

grid as (

    select
        sizes.cohort_month,
        sizes.customers,
        {{ months_between('sizes.cohort_month', 'months.month') }} as months_since,
        months.month = sizes.cohort_month
        or cast(months.month + interval '1' month as date) <= {{ as_of_date() }} + 1 as is_elapsed
    from sizes
    inner join months on sizes.cohort_month <= months.month

),

final as (

    select
        grid.cohort_month,
        grid.months_since,
        grid.customers,
        case when grid.is_elapsed then coalesce(returned.retained, 0) end as retained,
        case
            when grid.is_elapsed
                then cast(round(coalesce(returned.retained, 0) / cast(grid.customers as double), 4) as decimal(6, 4))
        end as retention_rate
    from grid
    left join returned
        on
            grid.cohort_month = returned.cohort_month
            and grid.months_since = returned.months_since

)

select * from final
