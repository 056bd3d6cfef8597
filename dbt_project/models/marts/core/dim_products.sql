with

final as (

    select
        source,
        product_id,
        product_name,
        category,
        first_sold_date,
        last_sold_date,
        orders,
        customers,
        quantity
    from {{ ref('int_sold_products') }}

)

select * from final
