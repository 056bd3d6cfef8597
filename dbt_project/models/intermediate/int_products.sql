-- A number for every product that stands in an order: over millions of lines numbers are several times quicker to
-- compare, count and sort than names.
with

products as (

    select distinct source, product_id from {{ ref('stg_order_lines') }}

),

final as (

    select
        source,
        product_id,
        cast(row_number() over (order by source, product_id) as integer) as product_number
    from products

)

select * from final
