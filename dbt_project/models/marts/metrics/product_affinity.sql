-- Which products the same people buy, by the ids that their source gave them.
with

neighbours as (

    select * from {{ ref('int_product_neighbours') }}

),

products as (

    select * from {{ ref('int_products') }}

),

final as (

    select
        products.source,
        products.product_id,
        other_products.product_id as other_product_id,
        neighbours.place,
        neighbours.n_customers,
        neighbours.n_both,
        neighbours.similarity
    from neighbours
    inner join products on neighbours.product_number = products.product_number
    inner join products as other_products on neighbours.other_product_number = other_products.product_number

)

select * from final
