-- When, where and what a customer likes to buy, as far as it has been seen.
with

orders as (

    select customer_id, channel, {{ local_time('ordered_at') }} as ordered_at
    from {{ ref('fct_orders') }}
    where
        is_purchase
        and order_date > {{ days_before(as_of_date(), rule('needs.window_days')) }}

),

habits as (

    {% for habit, value in [
        ('channel', 'channel'),
        ('weekday', 'cast(' ~ weekday('ordered_at') ~ ' as varchar)'),
        ('hour', 'cast(cast(extract(hour from ordered_at) as integer) as varchar)'),
    ] %}
        select customer_id, '{{ habit }}' as habit, {{ value }} as habit_value, ordered_at from orders
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- The most frequent value; of equals the one seen last.
usual as (

    select customer_id, habit, habit_value
    from habits
    where habit_value is not null
    group by customer_id, habit, habit_value
    qualify row_number() over (
        partition by customer_id, habit
        order by count(*) desc, max(ordered_at) desc, habit_value asc
    ) = 1

),

pivoted as (

    select
        customer_id,
        max(case when habit = 'channel' then habit_value end) as preferred_channel,
        cast(max(case when habit = 'weekday' then habit_value end) as tinyint) as preferred_weekday,
        cast(max(case when habit = 'hour' then habit_value end) as tinyint) as preferred_hour
    from usual
    group by customer_id

),

needs as (

    select
        customer_id,
        max(case when place = 1 and category <> '(other)' then category end) as preferred_category,
        max(case when place = 1 and category <> '(other)' then evidence end) as category_evidence,
        cast(sum(case when is_said then 1 else 0 end) as integer) as interests_said,
        cast(sum(case when evidence = 'said and shown' then 1 else 0 end) as integer) as interests_shown
    from {{ ref('customer_needs') }}
    group by customer_id

),

final as (

    select
        customers.customer_id,
        {{ as_of_date() }} as as_of_date,
        needs.preferred_category,
        needs.category_evidence,
        pivoted.preferred_channel,
        pivoted.preferred_weekday,
        pivoted.preferred_hour,
        case
            when sieve.discounted_order_share is null then null
            when sieve.discounted_order_share <= {{ rule('needs.full_price_share') }} then 'full price'
            when sieve.discounted_order_share >= {{ rule('needs.discount_share') }} then 'discount'
            else 'both'
        end as discount_preference,
        coalesce(needs.interests_said, 0) as interests_said,
        coalesce(needs.interests_shown, 0) as interests_shown
    from {{ ref('dim_customers') }} as customers
    left join needs on customers.customer_id = needs.customer_id
    left join pivoted on customers.customer_id = pivoted.customer_id
    left join {{ ref('customer_discount_sieve') }} as sieve on customers.customer_id = sieve.customer_id

)

select * from final
