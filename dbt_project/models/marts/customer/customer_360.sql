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
        preferences.preferred_category,
        preferences.category_evidence as category_why,
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
    inner join {{ ref('customer_journey') }} as journey on customers.customer_id = journey.customer_id
    inner join {{ ref('customer_value') }} as value on customers.customer_id = value.customer_id
    inner join {{ ref('customer_preferences') }} as preferences on customers.customer_id = preferences.customer_id
    left join {{ ref('customer_discount_sieve') }} as sieve on customers.customer_id = sieve.customer_id
    left join {{ ref('customer_rfm') }} as rfm on customers.customer_id = rfm.customer_id
    left join {{ ref('customer_satisfaction') }} as satisfaction on customers.customer_id = satisfaction.customer_id
    left join recommendations on customers.customer_id = recommendations.customer_id
    left join email on customers.customer_id = email.customer_id

)

select * from final
