-- What each customer has bought, the latest first; by numbers, as there are many.
with

-- An order may name a product on several lines.
in_orders as (

    select
        orders.customer_number,
        products.product_number,
        lines.source,
        lines.order_id,
        orders.order_date,
        sum(lines.quantity) as quantity
    from {{ ref('stg_order_lines') }} as lines
    inner join {{ ref('int_orders_valued') }} as orders
        on
            lines.source = orders.source
            and lines.order_id = orders.order_id
    inner join {{ ref('int_products') }} as products
        on
            lines.source = products.source
            and lines.product_id = products.product_id
    where orders.is_purchase
    group by orders.customer_number, products.product_number, lines.source, lines.order_id, orders.order_date

),

bought as (

    select
        customer_number,
        product_number,
        cast(count(*) as integer) as orders,
        cast(sum(quantity) as decimal(18, 3)) as quantity,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from in_orders
    group by customer_number, product_number

),

final as (

    select
        *,
        cast(row_number() over (
            partition by customer_number
            order by last_order_date desc, orders desc, product_number asc
        ) as integer) as place
    from bought

)

select * from final
