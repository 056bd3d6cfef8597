{{ config(materialized='view') }}

-- All that is known of a customer in one row, and of every judgement why.
with

recommendations as (

    select * from {{ ref('customer_recommendations') }}
    where place = 1

),

email as (

    select * from {{ ref('customer_contactability') }}
    where channel = 'email'

),

latest_moves as (

    select customer_id, max(to_date) as moved_on, max_by(reason, to_date) as reason
    from {{ ref('customer_segment_moves') }}
    where to_segment is not null
    group by customer_id

),

-- Who did not move within the history has been where they are since it begins.
history_begins as (

    select min(as_of_date) as day from {{ ref('customer_rfm_history') }}

),

final as (

    select
        customers.customer_id,
        {{ as_of_date() }} as as_of_date,
        customers.first_seen_date,
        customers.signup_date,
        customers.acquisition_channel,
        customers.city,
        customers.country,
        customers.language,
        lifecycle.rung,
        lifecycle.rung_name,
        lifecycle.reason as rung_why,
        lifecycle.rung_since,
        stay.previous_rung_name,
        lifecycle.sieve_verdict,
        {{ sieve_reason() }} as sieve_why,
        journey.stage as journey_stage,
        journey.is_at_risk,
        {{ journey_reason() }} as journey_why,
        rfm.recency_days,
        rfm.frequency,
        rfm.monetary,
        rfm.r_score,
        rfm.f_score,
        rfm.m_score,
        rfm.segment,
        {{ segment_reason() }} as segment_why,
        case when rfm.customer_id is not null then coalesce(latest_moves.moved_on, history_begins.day) end
            as segment_since,
        case
            when rfm.customer_id is not null and latest_moves.moved_on > {{ last_month_end() }} then latest_moves.reason
        end as segment_move_why,
        satisfaction.nps_score,
        satisfaction.nps_group,
        satisfaction.csat_score,
        satisfaction.ces_score,
        coalesce(satisfaction.is_satisfied, false) as is_satisfied,
        coalesce(satisfaction.has_open_complaint, false) as has_open_complaint,
        {{ satisfaction_reason() }} as satisfaction_why,
        value.orders,
        value.net_value,
        value.margin,
        value.messages,
        cast(value.contact_cost as decimal(18, 2)) as contact_cost,
        cast(value.contribution as decimal(18, 2)) as contribution,
        value.expected_net_value,
        value.expected_value_why,
        preferences.preferred_category,
        {{ category_reason() }} as category_why,
        preferences.preferred_channel,
        preferences.preferred_weekday,
        preferences.preferred_hour,
        preferences.discount_preference,
        recommendations.product_id as recommended_product_id,
        recommendations.product_name as recommended_product_name,
        recommendations.why as recommendation_why,
        coalesce(email.is_contactable, false) as is_contactable_by_email,
        email.reason as not_contactable_why
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('customer_lifecycle') }} as lifecycle on customers.customer_id = lifecycle.customer_id
    left join {{ ref('customer_lifecycle_history') }} as stay
        on
            customers.customer_id = stay.customer_id
            and stay.is_current
    inner join {{ ref('customer_journey') }} as journey on customers.customer_id = journey.customer_id
    inner join {{ ref('customer_value') }} as value on customers.customer_id = value.customer_id
    inner join {{ ref('customer_preferences') }} as preferences on customers.customer_id = preferences.customer_id
    left join {{ ref('customer_discount_sieve') }} as sieve on customers.customer_id = sieve.customer_id
    left join {{ ref('customer_rfm') }} as rfm on customers.customer_id = rfm.customer_id
    left join {{ ref('customer_satisfaction') }} as satisfaction on customers.customer_id = satisfaction.customer_id
    left join recommendations on customers.customer_id = recommendations.customer_id
    left join email on customers.customer_id = email.customer_id
    left join latest_moves on customers.customer_id = latest_moves.customer_id
    cross join history_begins

)

select * from final
