-- What to offer next: products that people who bought the same have bought and this customer has not; where history
-- says too little, what sells best in the category they like, then what sells best of all.
with

products as (

    select
        products.*,
        numbers.product_number,
        row_number() over (
            partition by products.category
            order by products.customers desc, numbers.product_number asc
        ) as place_in_category,
        row_number() over (order by products.customers desc, numbers.product_number asc) as place_of_all
    from {{ ref('dim_products') }} as products
    inner join {{ ref('int_products') }} as numbers
        on
            products.source = numbers.source
            and products.product_id = numbers.product_id
    where products.last_sold_date > {{ days_before(as_of_date(), rule('recommendations.sold_within_days')) }}

),

bought as (

    select customer_number, product_number, place from {{ ref('int_customer_products') }}

),

-- What goes together, the strongest tie first.
affinity as (

    select
        because.product_number as because_number,
        offered.product_number,
        affinity.product_id as because_product_id,
        affinity.source,
        affinity.n_both,
        affinity.n_customers,
        affinity.similarity,
        row_number() over (
            order by affinity.similarity desc, affinity.n_both desc, because.product_number asc
        ) as strength
    from {{ ref('product_affinity') }} as affinity
    inner join {{ ref('int_products') }} as because
        on
            affinity.source = because.source
            and affinity.product_id = because.product_id
    inner join products as offered
        on
            affinity.source = offered.source
            and affinity.other_product_id = offered.product_id

),

related as (

    select
        bought.customer_number,
        affinity.product_number,
        sum(affinity.similarity) as score,
        min(affinity.strength) as strength
    from bought
    inner join affinity on bought.product_number = affinity.because_number
    where bought.place <= {{ rule('recommendations.recent_products') }}
    group by bought.customer_number, affinity.product_number

),

first_choice as (

    select
        related.customer_number,
        related.product_number,
        related.strength,
        row_number() over (
            partition by related.customer_number
            order by related.score desc, related.product_number asc
        ) as choice
    from related
    left join bought
        on
            related.customer_number = bought.customer_number
            and related.product_number = bought.product_number
    where bought.customer_number is null
    qualify choice <= {{ rule('recommendations.per_customer') }}

),

-- Only who has fewer of these than are wanted is offered what sells best.
lacking as (

    select customers.cluster_number as customer_number, customers.customer_id
    from {{ ref('int_cluster_customers') }} as customers
    left join first_choice
        on
            customers.cluster_number = first_choice.customer_number
            and first_choice.choice = {{ rule('recommendations.per_customer') }}
    where first_choice.customer_number is null

),

popular as (

    select lacking.customer_number, products.product_number, 2 as class, products.place_in_category as place
    from lacking
    inner join {{ ref('customer_preferences') }} as preferences on lacking.customer_id = preferences.customer_id
    inner join products on preferences.preferred_category = products.category
    where products.place_in_category <= {{ rule('recommendations.neighbours') }}

    union all

    select lacking.customer_number, products.product_number, 3 as class, products.place_of_all as place
    from lacking
    cross join products
    where products.place_of_all <= {{ rule('recommendations.neighbours') }}

),

candidates as (

    select customer_number, product_number, 1 as class, choice as place, strength from first_choice

    union all

    select popular.customer_number, popular.product_number, popular.class, popular.place, null
    from popular
    left join bought
        on
            popular.customer_number = bought.customer_number
            and popular.product_number = bought.product_number
    where bought.customer_number is null

),

new_to_them as (

    select *
    from candidates
    qualify row_number() over (partition by customer_number, product_number order by class) = 1

),

ranked as (

    select
        customer_number,
        product_number,
        class,
        strength,
        row_number() over (partition by customer_number order by class asc, place asc) as place
    from new_to_them
    qualify
        row_number() over (partition by customer_number order by class asc, place asc)
        <= {{ rule('recommendations.per_customer') }}

),

final as (

    select
        customers.customer_id,
        cast(ranked.place as tinyint) as place,
        {{ as_of_date() }} as as_of_date,
        products.source,
        products.product_id,
        products.product_name,
        products.category,
        case ranked.class when 1 then 'bought together' when 2 then 'popular in category' else 'popular' end as basis,
        case ranked.class
            when 1
                then
                    'of ' || cast(affinity.n_customers as varchar) || ' recent buyers of '
                    || coalesce(because.product_name, affinity.because_product_id) || ', '
                    || cast(affinity.n_both as varchar) || ' bought this, too'
            when 2 then 'among the most bought in ' || products.category
            else 'among the most bought'
        end as why
    from ranked
    inner join {{ ref('int_cluster_customers') }} as customers on ranked.customer_number = customers.cluster_number
    inner join products on ranked.product_number = products.product_number
    left join affinity on ranked.strength = affinity.strength
    left join {{ ref('dim_products') }} as because
        on
            affinity.source = because.source
            and affinity.because_product_id = because.product_id

)

select * from final
