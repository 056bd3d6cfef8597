-- What customers say they like: a category where one is called so, whatever its capitals, else what they wrote.
with

interests as (

    select
        cast(customers.cluster_number as integer) as customer_number,
        trim({{ each_part('profiles.interests', '|') }}) as interest
    from {{ ref('int_customer_profiles') }} as profiles
    inner join {{ ref('int_cluster_customers') }} as customers on profiles.customer_id = customers.customer_id
    where profiles.interests is not null

),

-- Interests are free text, and what only few people wrote may tell who they are.
shared_interests as (

    select lower(interest) as interest from interests
    where interest <> ''
    group by lower(interest)
    having count(distinct customer_number) >= {{ rule('recommendations.minimum_customers') }}

),

categories as (

    select distinct category from {{ ref('int_sold_products') }}
    where category is not null

),

final as (

    select distinct
        interests.customer_number,
        coalesce(categories.category, shared_interests.interest, '(other)') as category
    from interests
    left join shared_interests on lower(interests.interest) = shared_interests.interest
    left join categories on lower(interests.interest) = lower(categories.category)
    where interests.interest <> ''

)

select * from final
