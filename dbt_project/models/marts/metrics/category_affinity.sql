-- Which categories the same people buy, and how much more often than chance would have it.
with

bought as (

    select distinct bought.customer_id, products.category
    from {{ ref('int_customer_products') }} as bought
    inner join {{ ref('dim_products') }} as products
        on
            bought.source = products.source
            and bought.product_id = products.product_id
    where products.category is not null

),

buyers as (

    select count(distinct customer_id) as n_buyers from bought

),

customers as (

    select category, count(*) as n_customers from bought
    group by category

),

pairs as (

    select bought.category, others.category as other_category, count(*) as n_both
    from bought
    inner join bought as others
        on
            bought.customer_id = others.customer_id
            and bought.category <> others.category
    group by bought.category, others.category
    having count(*) >= {{ rule('recommendations.minimum_customers') }}

),

final as (

    select
        pairs.category,
        pairs.other_category,
        cast(customers.n_customers as integer) as n_customers,
        cast(pairs.n_both as integer) as n_both,
        cast(pairs.n_both / cast(customers.n_customers as double) as decimal(6, 4)) as share,
        cast(
            pairs.n_both * cast(buyers.n_buyers as double) / (customers.n_customers * others.n_customers)
            as decimal(12, 4)
        ) as lift
    from pairs
    inner join customers on pairs.category = customers.category
    inner join customers as others on pairs.other_category = others.category
    cross join buyers

)

select * from final
