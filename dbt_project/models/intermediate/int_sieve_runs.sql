-- While a customer buys regularly: runs of days that all had a discount to be had or all had none, with what the
-- discount sieve counts as of the first of them. The days of a customer's own offers are taken one by one, and who has
-- not bought enough at full price fails on any day.
with

spans as (

    select
        *,
        greatest(purchase_date, {{ history_start() }}) as starts_on,
        least(regular_until, stands_until) as ends_on,
        full_price_orders >= {{ rule('lifecycle.sieve_min_full_price_orders') }} as may_pass
    from {{ ref('int_purchase_steps') }}
    where regular_until >= {{ history_start() }}

),

buyers as (

    select customer_id, min(first_purchase_date) as first_purchase_date
    from spans
    group by customer_id

),

own_days as (

    select own.customer_id, own.day
    from {{ ref('int_discount_days') }} as own
    inner join buyers
        on
            own.customer_id = buyers.customer_id
            and own.day >= buyers.first_purchase_date

),

points as (

    select customer_id, starts_on as day, starts_on, 0 as is_own_day from spans

    union all

    select spans.customer_id, calendar.day, cast(null as date), 0
    from spans
    inner join {{ ref('int_discount_calendar') }} as calendar
        on calendar.day > spans.starts_on and calendar.day <= spans.ends_on
    where calendar.is_switch and spans.may_pass

    union all

    select customer_id, day, cast(null as date), 1 from own_days

    union all

    select customer_id, {{ days_after('day', 1) }}, cast(null as date), 0 from own_days

),

days as (

    select customer_id, day, max(starts_on) as starts_on, max(is_own_day) as is_own_day
    from points
    group by customer_id, day

),

pieces as (

    select
        customer_id,
        day,
        is_own_day,
        max(starts_on) over (partition by customer_id order by day) as span,
        sum(is_own_day) over (partition by customer_id order by day) as own_days_on,
        lead(day) over (partition by customer_id order by day) as next_day
    from days

),

final as (

    select
        spans.customer_id,
        spans.purchase_date,
        spans.purchase_days,
        spans.median_gap_days,
        spans.orders_on,
        spans.orders_off,
        spans.full_price_orders,
        pieces.day,
        least({{ days_before('pieces.next_day', 1) }}, spans.ends_on) as until,
        pieces.is_own_day = 1 or today.is_on as is_on,
        cast(today.days_on - first.days_on + case when first.is_on then 1 else 0 end + pieces.own_days_on as integer)
            as days_on,
        {{ days_between('spans.first_purchase_date', 'pieces.day') }} + 1 as days_known
    from pieces
    inner join spans
        on
            pieces.customer_id = spans.customer_id
            and pieces.span = spans.starts_on
    inner join {{ ref('int_discount_calendar') }} as today on pieces.day = today.day
    inner join {{ ref('int_discount_calendar') }} as first on spans.first_purchase_date = first.day
    where pieces.day <= spans.ends_on

)

select * from final
