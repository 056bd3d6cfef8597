-- What customers say they like against what they look at and buy, by category.
with

interests as (

    select
        cast(customers.cluster_number as integer) as customer_number,
        trim({{ each_part('profiles.interests', '|') }}) as interest
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

bought as (

    select customer_number, category, orders, last_order_date from {{ ref('int_customer_categories') }}

),

-- Few names stand in very many rows: their numbers, in the order of the names, are quicker to count and to sort by.
names as (

    select
        category,
        cast(
            case when category = '(other)' then 0 else row_number() over (order by category) end as integer
        ) as category_number
    from (
        select category from said
        union
        select category from categories
        union
        select category from bought
    ) as named

),

products as (

    select products.source, products.product_id, names.category_number
    from {{ ref('dim_products') }} as products
    inner join names on products.category = names.category

),

-- Looking is a sign only while it is fresh; what was bought within the same time weighs more.
signs as (

    select
        identities.customer_number,
        products.category_number,
        false as is_said,
        1 as view,
        0 as orders,
        cast(null as date) as last_order_date
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_customer_identities') }} as identities
        on
            events.source = identities.source
            and events.contact_id = identities.contact_id
    inner join products
        on
            events.source = products.source
            and events.product_id = products.product_id
    where {{ is_after('events.occurred_at', days_before(as_of_date(), rule('needs.window_days'))) }}

    union all

    select said.customer_number, names.category_number, true, null, 0, null
    from said
    inner join names on said.category = names.category

    union all

    select bought.customer_number, names.category_number, false, null, bought.orders, bought.last_order_date
    from bought
    inner join names on bought.category = names.category

),

-- Of what was bought there is one row.
judged as (

    select
        customer_number,
        category_number,
        bool_or(is_said) as is_said,
        cast(count(view) as integer) as views,
        max(orders) as orders,
        max(last_order_date) as last_order_date,
        max(orders) > 0 or count(view) >= {{ rule('needs.minimum_views') }} as is_shown
    from signs
    group by customer_number, category_number

),

placed as (

    select
        *,
        cast(row_number() over (
            partition by customer_number
            order by
                category_number = 0 asc,
                orders desc,
                last_order_date desc nulls last,
                is_shown desc,
                is_said desc,
                views desc,
                category_number asc
        ) as integer) as place
    from judged

),

final as (

    select
        customers.customer_id,
        names.category,
        {{ as_of_date() }} as as_of_date,
        placed.is_said,
        placed.views,
        placed.orders,
        placed.last_order_date,
        placed.is_shown,
        case
            when placed.is_said and placed.is_shown then 'said and shown'
            when placed.is_said then 'said only'
            when placed.is_shown then 'shown only'
            else 'glanced at'
        end as evidence,
        placed.place
    from placed
    inner join names on placed.category_number = names.category_number
    inner join {{ ref('int_cluster_customers') }} as customers on placed.customer_number = customers.cluster_number

)

select * from final
