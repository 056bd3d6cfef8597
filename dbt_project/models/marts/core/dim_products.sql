-- A product as it was last sold: names and categories change.
with

lines as (

    select * from {{ ref('fct_order_lines') }}
    where is_purchase

),

latest as (

    select source, product_id, product_name, category
    from lines
    qualify row_number() over (
        partition by source, product_id
        order by
            case when category is null then 1 else 0 end,
            case when product_name is null then 1 else 0 end,
            order_date desc,
            order_id desc,
            line_number desc
    ) = 1

),

sales as (

    select
        source,
        product_id,
        min(order_date) as first_sold_date,
        max(order_date) as last_sold_date,
        cast(count(distinct order_id) as integer) as orders,
        cast(count(distinct customer_id) as integer) as customers,
        cast(sum(quantity) as decimal(18, 3)) as quantity
    from lines
    group by source, product_id

),

final as (

    select
        sales.source,
        sales.product_id,
        latest.product_name,
        latest.category,
        sales.first_sold_date,
        sales.last_sold_date,
        sales.orders,
        sales.customers,
        sales.quantity
    from sales
    inner join latest on sales.source = latest.source and sales.product_id = latest.product_id

)

select * from final
