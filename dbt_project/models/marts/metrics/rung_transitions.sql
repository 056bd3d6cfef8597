-- Of the months that are over, and that begin within the history of the ladder.
with recursive

-- Where somebody stood at the end of a month in which they moved; what they did in between is nothing here.
ends as (

    select customer_id, {{ month_of('valid_from') }} as month, max_by(rung, valid_from) as rung
    from {{ ref('customer_lifecycle_history') }}
    where {{ month_of('valid_from') }} < {{ month_of(days_after(as_of_date(), 1)) }}
    group by customer_id, {{ month_of('valid_from') }}

),

-- Before that they stood where they had stood at the last such end, or were not known.
arrivals as (

    select month, from_rung, to_rung, cast(count(*) as integer) as customers
    from (
        select month, lag(rung) over (partition by customer_id order by month) as from_rung, rung as to_rung
        from ends
    ) as seen
    where from_rung is null or from_rung <> to_rung
    group by month, from_rung, to_rung

),

months (month) as (

    select min(month) as month from arrivals

    union all

    select cast(month + interval '1' month as date) as month from months
    where month < {{ month_of(days_after(as_of_date(), 1), 1) }}

),

rungs as (

    select rung, rung_name from {{ ref('lifecycle_rungs') }}

),

turns as (

    select month, to_rung as rung, customers as came, 0 as moved from arrivals

    union all

    select month, from_rung, 0, customers from arrivals

),

-- How many stood on each rung when the month began, and how many of them moved.
standing as (

    select
        months.month,
        rungs.rung as from_rung,
        rungs.rung_name as from_rung_name,
        cast(coalesce(sum(turns.moved), 0) as integer) as moved,
        cast(coalesce(
            sum(sum(turns.came - turns.moved)) over (
                partition by rungs.rung order by months.month rows between unbounded preceding and 1 preceding
            ),
            0
        ) as integer) as customers
    from months
    cross join rungs
    left join turns
        on
            months.month = turns.month
            and rungs.rung = turns.rung
    group by months.month, rungs.rung, rungs.rung_name

    union all

    select month, cast(null as tinyint), 'new', 0, cast(sum(moved) as integer)
    from turns
    where rung is null
    group by month

),

cells as (

    select
        standing.*,
        rungs.rung as to_rung,
        rungs.rung_name as to_rung_name,
        coalesce(arrivals.customers, 0)
        + case when standing.from_rung = rungs.rung then standing.customers - standing.moved else 0 end
            as customers_after
    from standing
    cross join rungs
    left join arrivals
        on
            standing.month = arrivals.month
            and standing.from_rung is not distinct from arrivals.from_rung
            and rungs.rung = arrivals.to_rung
    where standing.month > {{ history_start() }}

),

final as (

    select
        month,
        from_rung,
        from_rung_name,
        to_rung,
        to_rung_name,
        customers as customers_before,
        customers_after as customers,
        {{ share('customers_after', 'customers') }} as share
    from cells

)

select * from final
