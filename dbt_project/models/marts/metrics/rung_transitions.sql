-- Of the months that are over, and that begin within the history of the ladder.
with recursive

stays as (

    select
        customer_id,
        rung,
        valid_from,
        {{ month_of('valid_from') }} as first_month,
        {{ month_of('coalesce(valid_to, ' ~ days_after(as_of_date(), 1) ~ ')', 1) }} as last_month
    from {{ ref('customer_lifecycle_history') }}

),

-- From the first month at whose end somebody stood on the rung to the last one; a stay that saw no end of a month is
-- none here, and before each of the others they stood where the other before it says, or were not known.
arrivals as (

    select first_month as month, from_rung, rung as to_rung, cast(count(*) as integer) as customers
    from (
        select *, lag(rung) over (partition by customer_id order by valid_from) as from_rung
        from stays
        where first_month <= last_month
    ) as seen
    group by first_month, from_rung, rung

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

leavers as (

    select month, from_rung as rung, cast(sum(customers) as integer) as customers
    from arrivals
    group by month, from_rung

),

comers as (

    select month, to_rung as rung, cast(sum(customers) as integer) as customers
    from arrivals
    group by month, to_rung

),

-- How many stood on each rung when the month began, and how many of them left it, if only to come back.
standing as (

    select
        months.month,
        rungs.rung as from_rung,
        rungs.rung_name as from_rung_name,
        coalesce(leavers.customers, 0) as moved,
        cast(coalesce(
            sum(coalesce(comers.customers, 0) - coalesce(leavers.customers, 0)) over (
                partition by rungs.rung order by months.month rows between unbounded preceding and 1 preceding
            ),
            0
        ) as integer) as customers
    from months
    cross join rungs
    left join leavers
        on
            months.month = leavers.month
            and rungs.rung = leavers.rung
    left join comers
        on
            months.month = comers.month
            and rungs.rung = comers.rung

    union all

    select month, cast(null as tinyint), 'new', 0, customers
    from leavers
    where rung is null

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
