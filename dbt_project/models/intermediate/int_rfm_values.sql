-- Recency, frequency and monetary value within the window, as they were on each evaluation day.
with

days as (

    select evaluation_date from {{ ref('int_rfm_days') }}

),

-- The evaluation day that first knows of what happens on a day.
known_on as (

    select calendar.day, min(days.evaluation_date) as evaluation_date
    from {{ ref('int_calendar') }} as calendar
    inner join days on calendar.day <= days.evaluation_date
    group by calendar.day

),

purchases as (

    select customer_id, order_date, order_date as from_date, cast(null as date) as to_date, net_amount
    from {{ ref('int_orders_valued') }}
    where is_purchase and refunded_amount = 0

    union all

    select customer_id, order_date, from_date, to_date, net_amount
    from {{ ref('int_refunded_order_values') }}
    where net_amount > 0

),

counted as (

    select
        *,
        case when to_date is null then order_date end as lasting_order_date,
        {{ rfm_counts_until('order_date', 'to_date') }} as until_date
    from purchases

),

changes as (

    select counted.customer_id, known_on.evaluation_date, 1 as orders, counted.net_amount, counted.lasting_order_date
    from counted
    inner join known_on on counted.from_date = known_on.day

    union all

    select counted.customer_id, known_on.evaluation_date, -1, -counted.net_amount, null
    from counted
    inner join known_on on greatest(counted.from_date, counted.until_date) = known_on.day
    where counted.until_date is not null

),

by_day as (

    select
        customer_id,
        evaluation_date,
        sum(orders) as orders,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount,
        max(lasting_order_date) as order_date
    from changes
    group by customer_id, evaluation_date

),

-- From each day with a change to the next, the sums stay as they are.
running as (

    select
        customer_id,
        evaluation_date as from_date,
        lead(evaluation_date) over (partition by customer_id order by evaluation_date) as to_date,
        sum(orders) over (partition by customer_id order by evaluation_date) as orders,
        sum(net_amount) over (partition by customer_id order by evaluation_date) as net_amount,
        max(order_date) over (partition by customer_id order by evaluation_date) as order_date
    from by_day

),

-- The last order may be one that was refunded later: such are looked up, because a maximum cannot be taken back.
refunded_later as (

    select purchases.customer_id, days.evaluation_date, max(purchases.order_date) as order_date
    from purchases
    inner join days on purchases.from_date <= days.evaluation_date and purchases.to_date > days.evaluation_date
    group by purchases.customer_id, days.evaluation_date

),

final as (

    select
        running.customer_id,
        days.evaluation_date,
        {{ days_between('greatest(running.order_date, refunded_later.order_date)', 'days.evaluation_date') }}
            as recency_days,
        cast(running.orders as integer) as frequency,
        cast(running.net_amount as decimal(18, 2)) as monetary
    from running
    inner join days
        on
            running.from_date <= days.evaluation_date
            and (running.to_date is null or running.to_date > days.evaluation_date)
    left join refunded_later
        on
            running.customer_id = refunded_later.customer_id
            and days.evaluation_date = refunded_later.evaluation_date
    where running.orders > 0

)

select * from final
