-- Everybody that any dataset speaks of, one row per id and source: contact records, and the ids and
-- addresses that orders, events, messages, answers and tickets carry for people in no contact list.
with

mentions as (

    select source, contact_id, email, phone, signup_at as seen_at, true as is_listed
    from {{ ref('stg_contacts') }}

    union all

    select source, contact_id, cast(null as varchar), cast(null as varchar), ordered_at, false
    from {{ ref('stg_orders') }}

    union all

    select source, contact_id, cast(null as varchar), cast(null as varchar), first_visit_at, false
    from {{ ref('int_visits') }}

    union all

    select source, contact_id, email, cast(null as varchar), status_at, false
    from {{ ref('stg_consents') }}

    union all

    select source, contact_id, max(email), cast(null as varchar), min(occurred_at), false
    from {{ ref('stg_messages') }}
    group by source, contact_id

    union all

    select source, contact_id, email, cast(null as varchar), coalesce(answered_at, sent_at), false
    from {{ ref('stg_survey_responses') }}

    union all

    select source, contact_id, email, cast(null as varchar), opened_at, false
    from {{ ref('stg_tickets') }}

    union all

    select source, referrer_contact_id, cast(null as varchar), cast(null as varchar), referred_at, false
    from {{ ref('stg_referrals') }}

    union all

    select source, referred_contact_id, cast(null as varchar), cast(null as varchar), referred_at, false
    from {{ ref('stg_referrals') }}

),

final as (

    select
        source,
        contact_id,
        min(seen_at) as first_seen_at,
        bool_or(is_listed) as is_listed
    from mentions
    where contact_id is not null
    group by source, contact_id

)

select * from final
