-- A product as it was last sold: names and categories change.
with

products as (

    select * from {{ ref('int_products') }}

),

sales as (

    select
        products.source,
        products.product_id,
        products.product_number,
        min(bought.first_order_date) as first_sold_date,
        max(bought.last_order_date) as last_sold_date,
        cast(sum(bought.orders) as integer) as orders,
        cast(count(*) as integer) as customers,
        cast(sum(bought.quantity) as decimal(18, 3)) as quantity
    from {{ ref('int_customer_products') }} as bought
    inner join products on bought.product_number = products.product_number
    group by products.source, products.product_id, products.product_number

),

descriptions as (

    select distinct source, product_id, product_name, category from {{ ref('stg_order_lines') }}

),

-- Few products were ever called by several names: for these alone it matters which line was the latest.
renamed as (

    select source, product_id from descriptions
    group by source, product_id
    having count(*) > 1

),

latest as (

    select lines.source, lines.product_id, lines.product_name, lines.category
    from {{ ref('stg_order_lines') }} as lines
    inner join renamed on lines.source = renamed.source and lines.product_id = renamed.product_id
    inner join {{ ref('int_orders_valued') }} as orders
        on
            lines.source = orders.source
            and lines.order_id = orders.order_id
    where orders.is_purchase
    qualify row_number() over (
        partition by lines.source, lines.product_id
        order by
            case when lines.category is null then 1 else 0 end,
            case when lines.product_name is null then 1 else 0 end,
            orders.order_date desc,
            lines.order_id desc,
            lines.line_number desc
    ) = 1

),

described as (

    select descriptions.source, descriptions.product_id, descriptions.product_name, descriptions.category
    from descriptions
    left join renamed on descriptions.source = renamed.source and descriptions.product_id = renamed.product_id
    where renamed.product_id is null

    union all

    select source, product_id, product_name, category from latest

),

final as (

    select
        sales.source,
        sales.product_id,
        sales.product_number,
        described.product_name,
        described.category,
        sales.first_sold_date,
        sales.last_sold_date,
        sales.orders,
        sales.customers,
        sales.quantity
    from sales
    inner join described on sales.source = described.source and sales.product_id = described.product_id

)

select * from final
