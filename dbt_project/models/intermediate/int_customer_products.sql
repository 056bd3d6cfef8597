-- What each customer has bought, the latest first.
with

bought as (

    select
        orders.customer_id,
        lines.source,
        lines.product_id,
        cast(count(distinct lines.order_id) as integer) as orders,
        max(orders.order_date) as last_order_date
    from {{ ref('stg_order_lines') }} as lines
    inner join {{ ref('int_orders_valued') }} as orders
        on
            lines.source = orders.source
            and lines.order_id = orders.order_id
    where orders.is_purchase
    group by orders.customer_id, lines.source, lines.product_id

),

final as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by last_order_date desc, orders desc, source asc, product_id asc
        ) as place
    from bought

)

select * from final
