{{ config(materialized='view') }}

with

final as (

    select
        lines.order_id,
        lines.source,
        lines.line_number,
        orders.customer_id,
        orders.order_date,
        lines.product_id,
        lines.product_name,
        lines.category,
        lines.quantity,
        lines.unit_price,
        lines.discount_amount,
        cast(lines.quantity * lines.unit_price - lines.discount_amount as decimal(18, 2)) as line_amount,
        orders.currency,
        orders.is_purchase
    from {{ ref('stg_order_lines') }} as lines
    inner join {{ ref('int_orders_valued') }} as orders
        on
            lines.source = orders.source
            and lines.order_id = orders.order_id

)

select * from final
