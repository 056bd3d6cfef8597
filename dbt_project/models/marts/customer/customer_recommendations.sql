-- What to offer next: products that people who bought the same have bought and this customer has not; where history
-- says too little, what sells best in the category they like, then what sells best of all.
with

products as (

    select product_number, source, product_id, product_name, category from {{ ref('int_sold_products') }}

),

best as (

    select product_number, category, place from {{ ref('int_bestsellers') }}

),

related as (

    select customer_number, product_number, place, tie from {{ ref('int_related_offers') }}

),

-- Only who has fewer of these than are wanted is offered what sells best.
lacking as (

    select customers.cluster_number as customer_number, preferences.preferred_category
    from {{ ref('int_cluster_customers') }} as customers
    left join related
        on
            customers.cluster_number = related.customer_number
            and related.place = {{ rule('recommendations.per_customer') }}
    left join {{ ref('customer_preferences') }} as preferences on customers.customer_id = preferences.customer_id
    where related.customer_number is null

),

bought as (

    select bought.customer_number, bought.product_number
    from {{ ref('int_customer_products') }} as bought
    inner join lacking on bought.customer_number = lacking.customer_number

),

popular as (

    select lacking.customer_number, best.product_number, 2 as class, best.place
    from lacking
    inner join best on lacking.preferred_category = best.category

    union all

    select lacking.customer_number, best.product_number, 3 as class, best.place
    from lacking
    cross join best
    where best.category is null

),

candidates as (

    select customer_number, product_number, 1 as class, place, tie from related

    union all

    select popular.customer_number, popular.product_number, popular.class, popular.place, null
    from popular
    left join bought
        on
            popular.customer_number = bought.customer_number
            and popular.product_number = bought.product_number
    where bought.customer_number is null

),

-- A product that several reasons speak for has the first of them.
reasons as (

    select
        customer_number,
        product_number,
        min(class) as class,
        min_by(place, class) as place_in_class,
        min(tie) as tie
    from candidates
    group by customer_number, product_number

),

ranked as (

    select
        customer_number,
        product_number,
        class,
        tie,
        cast(row_number() over (
            partition by customer_number
            order by class asc, place_in_class asc
        ) as tinyint) as place
    from reasons
    qualify place <= {{ rule('recommendations.per_customer') }}

),

final as (

    select
        customers.customer_id,
        ranked.place,
        {{ as_of_date() }} as as_of_date,
        products.source,
        products.product_id,
        products.product_name,
        products.category,
        case ranked.class when 1 then 'bought together' when 2 then 'popular in category' else 'popular' end as basis,
        {{ offer_reason() }} as why
    from ranked
    inner join {{ ref('int_cluster_customers') }} as customers on ranked.customer_number = customers.cluster_number
    inner join products on ranked.product_number = products.product_number
    left join {{ ref('int_product_neighbours') }} as neighbours on ranked.tie = neighbours.tie
    left join products as because on neighbours.product_number = because.product_number

)

select * from final
