-- Which products the same people buy: of each product, its nearest neighbours by cosine similarity.
-- Of somebody who has bought very much only the latest counts, or one reseller would tie everything to everything.
with

bought as (

    select customer_number, product_number from {{ ref('int_customer_products') }}
    where place <= {{ rule('recommendations.products_considered') }}

),

customers as (

    select products.source, bought.product_number, count(*) as n_customers
    from bought
    inner join {{ ref('int_products') }} as products on bought.product_number = products.product_number
    group by products.source, bought.product_number

),

-- What fewer people than the minimum have bought can be in no pair.
common as (

    select bought.customer_number, bought.product_number
    from bought
    inner join customers on bought.product_number = customers.product_number
    where customers.n_customers >= {{ rule('recommendations.minimum_customers') }}

),

-- Each pair is counted once, and stands in the result from both sides.
counted as (

    select
        common.product_number,
        others.product_number as other_product_number,
        cast(count(*) as integer) as n_both
    from common
    inner join common as others
        on
            common.customer_number = others.customer_number
            and common.product_number < others.product_number
    group by common.product_number, others.product_number
    having count(*) >= {{ rule('recommendations.minimum_customers') }}

),

measured as (

    select
        counted.product_number,
        counted.other_product_number,
        cast(customers.n_customers as integer) as n_customers,
        cast(others.n_customers as integer) as n_other_customers,
        counted.n_both,
        cast(
            counted.n_both / sqrt(cast(customers.n_customers as double) * others.n_customers) as decimal(6, 4)
        ) as similarity
    from counted
    inner join customers on counted.product_number = customers.product_number
    inner join customers as others on counted.other_product_number = others.product_number
    where customers.source = others.source

),

pairs as (

    select product_number, other_product_number, n_customers, n_both, similarity from measured

    union all

    select other_product_number, product_number, n_other_customers, n_both, similarity from measured

),

-- Products have their numbers in the order of their ids, and there are many more pairs than neighbours to be named.
neighbours as (

    select
        *,
        cast(row_number() over (
            partition by product_number
            order by similarity desc, n_both desc, other_product_number asc
        ) as integer) as place
    from pairs
    qualify place <= {{ rule('recommendations.neighbours') }}

),

final as (

    select
        *,
        cast(row_number() over (
            order by similarity desc, n_both desc, product_number asc, other_product_number asc
        ) as integer) as tie
    from neighbours

)

select * from final
