-- What customers say they like against what they look at and buy, by category.
with

categories as (

    select category, category_number from {{ ref('int_categories') }}

),

products as (

    select products.source, products.product_id, categories.category_number
    from {{ ref('int_sold_products') }} as products
    inner join categories on products.category = categories.category

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

    select said.customer_number, categories.category_number, true, null, 0, null
    from {{ ref('int_stated_interests') }} as said
    inner join categories on said.category = categories.category

    union all

    select bought.customer_number, categories.category_number, false, null, bought.orders, bought.last_order_date
    from {{ ref('int_customer_categories') }} as bought
    inner join categories on bought.category = categories.category

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
        categories.category,
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
    inner join categories on placed.category_number = categories.category_number
    inner join {{ ref('int_cluster_customers') }} as customers on placed.customer_number = customers.cluster_number

)

select * from final
