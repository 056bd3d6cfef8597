{{ config(materialized=kept_as('order_lines')) }}

with

landed as (

    select *
    from {{ source('landing', 'order_lines') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, order_id, line_number", entity='order_lines') }}

),

final as (

    select
        namespace as source,
        order_id,
        line_number,
        product_id,
        product_name,
        category,
        quantity,
        unit_price,
        coalesce(discount_amount, 0) as discount_amount
    from latest

)

select * from final
