with

-- Who complained or unsubscribed has taken the consent back, wherever it was once given.
consents as (

    select
        states.customer_id,
        bool_or(
            states.is_granted and coalesce(suppressions.reason, 'none') not in ('complained', 'unsubscribed')
        ) as has_opted_in
    from {{ ref('int_consent_states') }} as states
    left join {{ ref('int_suppressions') }} as suppressions
        on
            states.customer_id = suppressions.customer_id
            and states.channel = suppressions.channel
    group by states.customer_id

),

referrals as (

    select
        referrer_customer_id as customer_id, cast(count(distinct referred_customer_id) as integer) as customers_brought
    from {{ ref('fct_referrals') }}
    where
        {{ has_brought() }}
        and referral_date > {{ days_before(as_of_date(), rule('lifecycle.referral_days')) }}
    group by referrer_customer_id

),

facts as (

    select
        customers.customer_id,
        coalesce(cadence.purchase_days, 0) as purchase_days,
        cadence.median_gap_days,
        cadence.current_gap_days,
        coalesce(sieve.sieve_verdict, 'insufficient_evidence') as sieve_verdict,
        sieve.full_price_orders,
        coalesce(consents.has_opted_in, false) as has_opted_in,
        engagement.last_engaged_date,
        coalesce(
            engagement.last_engaged_date > {{ days_before(as_of_date(), rule('lifecycle.engaged_days')) }}, false
        ) as has_engaged,
        coalesce(satisfaction.is_satisfied, false) as is_satisfied,
        coalesce(satisfaction.has_open_complaint, false) as has_open_complaint,
        coalesce(referrals.customers_brought, 0) as customers_brought
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('int_customer_cadence') }} as cadence on customers.customer_id = cadence.customer_id
    left join {{ ref('customer_discount_sieve') }} as sieve on customers.customer_id = sieve.customer_id
    left join {{ ref('int_engagement') }} as engagement on customers.customer_id = engagement.customer_id
    left join {{ ref('customer_satisfaction') }} as satisfaction on customers.customer_id = satisfaction.customer_id
    left join consents on customers.customer_id = consents.customer_id
    left join referrals on customers.customer_id = referrals.customer_id

),

placed as (

    select
        *,
        purchase_days >= {{ rule('lifecycle.majority_purchase_days') }}
        and current_gap_days <= {{ allowed_gap_days('median_gap_days') }} as is_regular
    from facts

),

ranked as (

    select
        *,
        {{ lifecycle_rung() }} as rung
    from placed

),

final as (

    select
        ranked.customer_id,
        {{ as_of_date() }} as as_of_date,
        ranked.rung,
        rungs.rung_name,
        history.valid_from as rung_since,
        {{ lifecycle_reason() }} as reason,
        ranked.sieve_verdict,
        ranked.purchase_days,
        ranked.median_gap_days,
        ranked.current_gap_days,
        ranked.has_opted_in,
        ranked.last_engaged_date,
        ranked.is_satisfied,
        ranked.has_open_complaint,
        ranked.customers_brought
    from ranked
    inner join {{ ref('lifecycle_rungs') }} as rungs on ranked.rung = rungs.rung
    left join {{ ref('customer_lifecycle_history') }} as history
        on
            ranked.customer_id = history.customer_id
            and history.is_current

)

select * from final
