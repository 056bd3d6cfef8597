-- What customers say they like against what they look at and buy, by category.
with

interests as (

    select customer_id, trim({{ each_part('interests', '|') }}) as interest
    from {{ ref('dim_customers') }}
    where interests is not null

),

-- Interests are free text, and what only few people wrote may tell who they are.
shared_interests as (

    select lower(interest) as interest from interests
    where interest <> ''
    group by lower(interest)
    having count(distinct customer_id) >= {{ rule('recommendations.minimum_customers') }}

),

categories as (

    select distinct category from {{ ref('dim_products') }}
    where category is not null

),

said as (

    select interests.customer_id, coalesce(categories.category, shared_interests.interest, '(other)') as category
    from interests
    left join shared_interests on lower(interests.interest) = shared_interests.interest
    left join categories on lower(interests.interest) = lower(categories.category)
    where interests.interest <> ''

),

-- Looking is a sign only while it is fresh; what was bought within the same time weighs more.
viewed as (

    select events.customer_id, products.category, count(*) as views
    from {{ ref('fct_events') }} as events
    inner join {{ ref('dim_products') }} as products
        on
            events.source = products.source
            and events.product_id = products.product_id
    where
        events.customer_id is not null
        and products.category is not null
        and {{ is_after('events.occurred_at', days_before(as_of_date(), rule('needs.window_days'))) }}
    group by events.customer_id, products.category

),

in_orders as (

    select distinct customer_id, category, source, order_id, order_date
    from {{ ref('fct_order_lines') }}
    where
        is_purchase
        and category is not null
        and order_date > {{ days_before(as_of_date(), rule('needs.window_days')) }}

),

bought as (

    select customer_id, category, count(*) as orders, max(order_date) as last_order_date
    from in_orders
    group by customer_id, category

),

signs as (

    select customer_id, category, true as is_said, 0 as views, 0 as orders, null as last_order_date
    from said
    union all
    select customer_id, category, false, views, 0, null from viewed
    union all
    select customer_id, category, false, 0, orders, last_order_date from bought

),

summed as (

    select
        customer_id,
        category,
        bool_or(is_said) as is_said,
        cast(sum(views) as integer) as views,
        cast(sum(orders) as integer) as orders,
        max(last_order_date) as last_order_date
    from signs
    group by customer_id, category

),

judged as (

    select
        *,
        orders > 0 or views >= {{ rule('needs.minimum_views') }} as is_shown
    from summed

),

final as (

    select
        customer_id,
        category,
        {{ as_of_date() }} as as_of_date,
        is_said,
        views,
        orders,
        last_order_date,
        is_shown,
        case
            when is_said and is_shown then 'said and shown'
            when is_said then 'said only'
            when is_shown then 'shown only'
            else 'glanced at'
        end as evidence,
        cast(row_number() over (
            partition by customer_id
            order by
                category = '(other)' asc,
                orders desc,
                last_order_date desc nulls last,
                is_shown desc,
                is_said desc,
                views desc,
                category asc
        ) as integer) as place
    from judged

)

select * from final
