-- When, where and what a customer likes to buy, as far as it has been seen.
with

orders as (

    select
        customer_id,
        channel,
        {{ weekday('order_date') }} as weekday,
        cast(extract(hour from {{ local_time('ordered_at') }}) as tinyint) as hour,
        ordered_at
    from {{ ref('fct_orders') }}
    where
        is_purchase
        and order_date > {{ days_before(as_of_date(), rule('needs.window_days')) }}

),

-- The most frequent value; of equals the one seen last.
{% for habit in ['channel', 'weekday', 'hour'] %}
    usual_{{ habit }} as (

        select customer_id, {{ habit }}
        from orders
        where {{ habit }} is not null
        group by customer_id, {{ habit }}
        qualify row_number() over (
            partition by customer_id
            order by count(*) desc, max(ordered_at) desc, {{ habit }} asc
        ) = 1

    ),

{% endfor %}
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
        usual_channel.channel as preferred_channel,
        usual_weekday.weekday as preferred_weekday,
        usual_hour.hour as preferred_hour,
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
    left join usual_channel on customers.customer_id = usual_channel.customer_id
    left join usual_weekday on customers.customer_id = usual_weekday.customer_id
    left join usual_hour on customers.customer_id = usual_hour.customer_id
    left join {{ ref('customer_discount_sieve') }} as sieve on customers.customer_id = sieve.customer_id

)

select * from final
