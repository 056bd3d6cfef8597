-- Which products the same people buy: of each product, its nearest neighbours by cosine similarity.
-- Of somebody who has bought very much only the latest counts, or one reseller would tie everything to everything.
with

bought as (

    select * from {{ ref('int_customer_products') }}
    where place <= {{ rule('recommendations.products_considered') }}

),

customers as (

    select source, product_id, count(*) as n_customers
    from bought
    group by source, product_id

),

pairs as (

    select
        bought.source,
        bought.product_id,
        others.product_id as other_product_id,
        cast(count(*) as integer) as n_both
    from bought
    inner join bought as others
        on
            bought.customer_id = others.customer_id
            and bought.source = others.source
            and bought.product_id <> others.product_id
    group by bought.source, bought.product_id, others.product_id
    having count(*) >= {{ rule('recommendations.minimum_customers') }}

),

measured as (

    select
        pairs.source,
        pairs.product_id,
        pairs.other_product_id,
        cast(customers.n_customers as integer) as n_customers,
        pairs.n_both,
        cast(
            pairs.n_both / sqrt(cast(customers.n_customers as double) * others.n_customers) as decimal(6, 4)
        ) as similarity
    from pairs
    inner join customers
        on
            pairs.source = customers.source
            and pairs.product_id = customers.product_id
    inner join customers as others
        on
            pairs.source = others.source
            and pairs.other_product_id = others.product_id

),

final as (

    select
        source,
        product_id,
        other_product_id,
        cast(row_number() over (
            partition by source, product_id
            order by similarity desc, n_both desc, other_product_id asc
        ) as integer) as place,
        n_customers,
        n_both,
        similarity
    from measured
    qualify place <= {{ rule('recommendations.neighbours') }}

)

select * from final
