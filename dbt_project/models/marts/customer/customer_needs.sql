-- What customers say they like against what they look at and buy, by category.
with

interests as (

    select customers.cluster_number as customer_number, trim({{ each_part('profiles.interests', '|') }}) as interest
    from {{ ref('dim_customers') }} as profiles
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

    select distinct category from {{ ref('dim_products') }}
    where category is not null

),

said as (

    select interests.customer_number, coalesce(categories.category, shared_interests.interest, '(other)') as category
    from interests
    left join shared_interests on lower(interests.interest) = shared_interests.interest
    left join categories on lower(interests.interest) = lower(categories.category)
    where interests.interest <> ''

),

-- Looking is a sign only while it is fresh; what was bought within the same time weighs more.
viewed as (

    select identities.customer_number, products.category, count(*) as views
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_customer_identities') }} as identities
        on
            events.source = identities.source
            and events.contact_id = identities.contact_id
    inner join {{ ref('dim_products') }} as products
        on
            events.source = products.source
            and events.product_id = products.product_id
    where
        products.category is not null
        and {{ is_after('events.occurred_at', days_before(as_of_date(), rule('needs.window_days'))) }}
    group by identities.customer_number, products.category

),

signs as (

    select customer_number, category, true as is_said, 0 as views, 0 as orders, null as last_order_date
    from said
    union all
    select customer_number, category, false, views, 0, null from viewed
    union all
    select customer_number, category, false, 0, orders, last_order_date
    from {{ ref('int_customer_categories') }}

),

summed as (

    select
        customer_number,
        category,
        bool_or(is_said) as is_said,
        cast(sum(views) as integer) as views,
        cast(sum(orders) as integer) as orders,
        max(last_order_date) as last_order_date
    from signs
    group by customer_number, category

),

judged as (

    select
        *,
        orders > 0 or views >= {{ rule('needs.minimum_views') }} as is_shown
    from summed

),

final as (

    select
        customers.customer_id,
        judged.category,
        {{ as_of_date() }} as as_of_date,
        judged.is_said,
        judged.views,
        judged.orders,
        judged.last_order_date,
        judged.is_shown,
        case
            when judged.is_said and judged.is_shown then 'said and shown'
            when judged.is_said then 'said only'
            when judged.is_shown then 'shown only'
            else 'glanced at'
        end as evidence,
        cast(row_number() over (
            partition by judged.customer_number
            order by
                judged.category = '(other)' asc,
                judged.orders desc,
                judged.last_order_date desc nulls last,
                judged.is_shown desc,
                judged.is_said desc,
                judged.views desc,
                judged.category asc
        ) as integer) as place
    from judged
    inner join {{ ref('int_cluster_customers') }} as customers on judged.customer_number = customers.cluster_number

)

select * from final
