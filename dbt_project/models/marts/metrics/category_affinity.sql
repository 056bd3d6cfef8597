-- Which categories the same people buy, and how much more often than chance would have it.
with

categories as (

    select category, row_number() over (order by category) as category_number
    from (select distinct category from {{ ref('int_sold_products') }}) as named
    where category is not null

),

bought as (

    select distinct bought.customer_number, categories.category_number
    from {{ ref('int_customer_products') }} as bought
    inner join {{ ref('int_sold_products') }} as products on bought.product_number = products.product_number
    inner join categories on products.category = categories.category

),

buyers as (

    select count(distinct customer_number) as n_buyers from bought

),

customers as (

    select categories.category, bought.category_number, count(*) as n_customers
    from bought
    inner join categories on bought.category_number = categories.category_number
    group by categories.category, bought.category_number

),

-- Each pair is counted once, and stands in the result from both sides.
counted as (

    select bought.category_number, others.category_number as other_category_number, count(*) as n_both
    from bought
    inner join bought as others
        on
            bought.customer_number = others.customer_number
            and bought.category_number < others.category_number
    group by bought.category_number, others.category_number
    having count(*) >= {{ rule('recommendations.minimum_customers') }}

),

pairs as (

    select category_number, other_category_number, n_both from counted

    union all

    select other_category_number, category_number, n_both from counted

),

final as (

    select
        customers.category,
        others.category as other_category,
        cast(customers.n_customers as integer) as n_customers,
        cast(pairs.n_both as integer) as n_both,
        cast(pairs.n_both / cast(customers.n_customers as double) as decimal(6, 4)) as share,
        cast(
            pairs.n_both * cast(buyers.n_buyers as double) / (customers.n_customers * others.n_customers)
            as decimal(12, 4)
        ) as lift
    from pairs
    inner join customers on pairs.category_number = customers.category_number
    inner join customers as others on pairs.other_category_number = others.category_number
    cross join buyers

)

select * from final
