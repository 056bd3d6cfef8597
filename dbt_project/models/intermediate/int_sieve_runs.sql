-- The spans in which the verdict of the discount sieve may turn, cut into runs of days that all had a discount to be
-- had or all had none, with the days that it counts as of the first of them. Days of own offers are taken one by one.
with

spans as (

    select * from {{ ref('int_sieve_spans') }}
    where may_turn

),

own_days as (

    select spans.customer_id, spans.starts_on, spans.ends_on, own.day
    from spans
    inner join {{ ref('int_discount_days') }} as own
        on
            spans.customer_id = own.customer_id
            and spans.starts_on <= own.day
            and spans.ends_on >= own.day

),

points as (

    select customer_id, starts_on, starts_on as day, 0 as is_own_day from spans

    union all

    select spans.customer_id, spans.starts_on, calendar.day, 0
    from spans
    inner join {{ ref('int_discount_calendar') }} as calendar
        on
            spans.starts_on < calendar.day
            and spans.ends_on >= calendar.day
    where calendar.is_switch

    union all

    select customer_id, starts_on, day, 1 from own_days

    union all

    select customer_id, starts_on, {{ days_after('day', 1) }}, 0 from own_days
    where day < ends_on

),

runs as (

    select
        customer_id,
        starts_on,
        day,
        max(is_own_day) as is_own_day,
        sum(max(case when day > starts_on then is_own_day else 0 end)) over so_far as own_days_on,
        lead(day) over so_far as next_day
    from points
    group by customer_id, starts_on, day
    window so_far as (partition by customer_id, starts_on order by day)

),

final as (

    select
        spans.customer_id,
        spans.orders_on,
        spans.orders_off,
        spans.full_price_orders,
        runs.day,
        coalesce({{ days_before('runs.next_day', 1) }}, spans.ends_on) as until,
        runs.is_own_day = 1 or today.is_on as is_on,
        cast(spans.days_on + today.days_on - first.days_on + runs.own_days_on as integer) as days_on,
        spans.days_on + spans.days_off + {{ days_between('spans.starts_on', 'runs.day') }} as days_known
    from runs
    inner join spans
        on
            runs.customer_id = spans.customer_id
            and runs.starts_on = spans.starts_on
    inner join {{ ref('int_discount_calendar') }} as today on runs.day = today.day
    inner join {{ ref('int_discount_calendar') }} as first on spans.starts_on = first.day

)

select * from final
