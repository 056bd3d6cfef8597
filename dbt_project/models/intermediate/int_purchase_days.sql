-- The days on which a customer bought, and the gap since the purchase day before.
with

days as (

    select
        customer_id,
        order_date as purchase_date,
        cast(count(*) as integer) as orders,
        cast(sum(case when is_discounted then 0 else 1 end) as integer) as full_price_orders,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount
    from {{ ref('int_orders_valued') }}
    where is_purchase
    group by customer_id, order_date

),

final as (

    select
        customer_id,
        purchase_date,
        orders,
        full_price_orders,
        net_amount,
        {{ days_between('lag(purchase_date) over (partition by customer_id order by purchase_date)', 'purchase_date') }}
            as gap_days
    from days

)

select * from final
