-- What the orders that were refunded, in part or in whole, were worth from which day to which.
with

orders as (

    select
        orders.source,
        orders.order_id,
        orders.customer_id,
        orders.order_date,
        orders.gross_amount,
        coalesce(rates.rate, 1) as rate
    from {{ ref('int_orders_valued') }} as orders
    inner join {{ ref('order_statuses') }} as statuses on orders.status = statuses.status
    left join {{ ref('int_currency_rates') }} as rates
        on
            orders.currency = rates.currency
            and orders.order_date = rates.order_date
    where statuses.is_purchase and orders.refunded_amount > 0

),

-- What was paid back before the order counts from its day on.
repayments as (

    select source, order_id, order_date as from_date, 0 as amount from orders

    union all

    select
        orders.source,
        orders.order_id,
        greatest(orders.order_date, refunds.refund_date) as from_date,
        refunds.amount
    from orders
    inner join {{ ref('stg_refunds') }} as refunds
        on
            orders.source = refunds.source
            and orders.order_id = refunds.order_id

),

days as (

    select
        source,
        order_id,
        from_date,
        sum(sum(amount)) over (partition by source, order_id order by from_date) as repaid,
        lead(from_date) over (partition by source, order_id order by from_date) as to_date
    from repayments
    group by source, order_id, from_date

),

final as (

    select
        orders.source,
        orders.order_id,
        orders.customer_id,
        orders.order_date,
        days.from_date,
        days.to_date,
        cast(
            greatest(orders.gross_amount - cast(days.repaid * orders.rate as decimal(18, 2)), 0) as decimal(18, 2)
        ) as net_amount
    from orders
    inner join days
        on
            orders.source = days.source
            and orders.order_id = days.order_id

)

select * from final
