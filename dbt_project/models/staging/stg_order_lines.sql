with

landed as (

    select *
    from {{ source('landing', 'order_lines') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, order_id, line_number") }}

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
