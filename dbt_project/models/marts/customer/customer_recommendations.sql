-- What to offer next: products that people who bought the same have bought and this customer has not; where history
-- says too little, what sells best in the category they like, then what sells best of all.
with

products as (

    select
        *,
        row_number() over (
            partition by category
            order by customers desc, source asc, product_id asc
        ) as place_in_category,
        row_number() over (order by customers desc, source asc, product_id asc) as place_of_all
    from {{ ref('dim_products') }}
    where last_sold_date > {{ days_before(as_of_date(), rule('recommendations.sold_within_days')) }}

),

bought as (

    select * from {{ ref('int_customer_products') }}

),

related as (

    select
        bought.customer_id,
        affinity.source,
        affinity.other_product_id as product_id,
        affinity.product_id as because_product_id,
        affinity.n_both,
        affinity.n_customers,
        sum(affinity.similarity) over (
            partition by bought.customer_id, affinity.source, affinity.other_product_id
        ) as score,
        row_number() over (
            partition by bought.customer_id, affinity.source, affinity.other_product_id
            order by affinity.similarity desc, affinity.n_both desc, affinity.product_id asc
        ) as because_place
    from bought
    inner join {{ ref('product_affinity') }} as affinity
        on
            bought.source = affinity.source
            and bought.product_id = affinity.product_id
    where bought.place <= {{ rule('recommendations.recent_products') }}

),

candidates as (

    select customer_id, source, product_id, 1 as class, score, because_product_id, n_both, n_customers
    from related
    where because_place = 1

    union all

    select preferences.customer_id, products.source, products.product_id, 2, products.customers, null, null, null
    from {{ ref('customer_preferences') }} as preferences
    inner join products on preferences.preferred_category = products.category
    where products.place_in_category <= {{ rule('recommendations.neighbours') }}

    union all

    select customers.customer_id, products.source, products.product_id, 3, products.customers, null, null, null
    from {{ ref('dim_customers') }} as customers
    cross join products
    where products.place_of_all <= {{ rule('recommendations.neighbours') }}

),

new_to_them as (

    select candidates.*, products.product_name, products.category
    from candidates
    inner join products
        on
            candidates.source = products.source
            and candidates.product_id = products.product_id
    left join bought
        on
            candidates.customer_id = bought.customer_id
            and candidates.source = bought.source
            and candidates.product_id = bought.product_id
    where bought.customer_id is null
    qualify row_number() over (
        partition by candidates.customer_id, candidates.source, candidates.product_id
        order by candidates.class
    ) = 1

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by class asc, score desc, source asc, product_id asc
        ) as place
    from new_to_them
    qualify place <= {{ rule('recommendations.per_customer') }}

),

final as (

    select
        ranked.customer_id,
        cast(ranked.place as tinyint) as place,
        {{ as_of_date() }} as as_of_date,
        ranked.source,
        ranked.product_id,
        ranked.product_name,
        ranked.category,
        case ranked.class when 1 then 'bought together' when 2 then 'popular in category' else 'popular' end as basis,
        case ranked.class
            when 1
                then
                    'of ' || cast(ranked.n_customers as varchar) || ' recent buyers of '
                    || coalesce(because.product_name, ranked.because_product_id) || ', '
                    || cast(ranked.n_both as varchar) || ' bought this, too'
            when 2 then 'among the most bought in ' || ranked.category
            else 'among the most bought'
        end as why
    from ranked
    left join {{ ref('dim_products') }} as because
        on
            ranked.source = because.source
            and ranked.because_product_id = because.product_id

)

select * from final
