with

orders as (

    select * from {{ ref('int_orders_valued') }}
    where is_purchase

),

store_wide as (

    select day from {{ ref('int_discount_days') }}
    where customer_id is null

),

own as (

    select customer_id, day from {{ ref('int_discount_days') }}
    where customer_id is not null

),

-- How many store-wide discount days lie on or after each day: what somebody who first bought then has seen.
store_wide_since as (

    select
        calendar.day,
        count(store_wide.day) over (order by calendar.day desc) as discount_days
    from {{ ref('int_calendar') }} as calendar
    left join store_wide on calendar.day = store_wide.day

),

bought as (

    select
        orders.customer_id,
        min(orders.order_date) as first_purchase_date,
        cast(count(*) as integer) as orders,
        cast(sum(case when store_wide.day is not null or own.day is not null then 1 else 0 end) as integer)
            as orders_on,
        cast(sum(case when orders.is_discounted then 0 else 1 end) as integer) as full_price_orders,
        cast(sum(orders.discount_amount) as decimal(18, 2)) as incentive_cost,
        cast(sum(orders.gross_amount + orders.discount_amount) as decimal(18, 2)) as list_amount,
        cast(sum(orders.net_amount) * {{ rule('economics.margin_share') }} as decimal(18, 2)) as margin
    from orders
    left join store_wide on orders.order_date = store_wide.day
    left join own
        on
            orders.customer_id = own.customer_id
            and orders.order_date = own.day
    group by orders.customer_id

),

own_days as (

    select own.customer_id, cast(count(*) as integer) as discount_days
    from own
    inner join bought
        on
            own.customer_id = bought.customer_id
            and own.day >= bought.first_purchase_date
    group by own.customer_id

),

exposed as (

    select
        bought.*,
        cast(store_wide_since.discount_days + coalesce(own_days.discount_days, 0) as integer) as days_on,
        bought.orders - bought.orders_on as orders_off,
        {{ days_between('bought.first_purchase_date', as_of_date()) }} + 1 as days_known
    from bought
    inner join store_wide_since on bought.first_purchase_date = store_wide_since.day
    left join own_days on bought.customer_id = own_days.customer_id

),

final as (

    select
        customer_id,
        {{ as_of_date() }} as as_of_date,
        {{ sieve_verdict('days_on', '(days_known - days_on)') }} as sieve_verdict,
        days_on,
        cast(days_known - days_on as integer) as days_off,
        orders_on,
        orders_off,
        full_price_orders,
        cast((orders - full_price_orders) / cast(orders as double) as decimal(6, 4)) as discounted_order_share,
        cast(coalesce(incentive_cost / nullif(cast(list_amount as double), 0), 0) as decimal(6, 4))
            as discount_value_share,
        incentive_cost,
        margin,
        -- Without the discounts the goods would have cost the same: what they took is what the margin lacks.
        {{ share('incentive_cost', '(margin + incentive_cost)', 0.01) }} as incentive_margin_share
    from exposed

)

select * from final
