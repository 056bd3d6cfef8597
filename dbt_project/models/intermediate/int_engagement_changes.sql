-- The days on which a customer who had not bought yet began to show interest, and the first days on which the last sign
-- of it was too long ago.
with

visits as (

    select distinct identities.customer_id, events.event_date as day
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_customer_identities') }} as identities
        on
            events.source = identities.source
            and events.contact_id = identities.contact_id
    inner join {{ ref('int_lifecycle_starts') }} as starts on identities.customer_id = starts.customer_id
    where
        events.event_date > {{ days_before(history_start(), rule('lifecycle.engaged_days')) }}
        and (starts.first_purchase_date is null or events.event_date < starts.first_purchase_date)

),

reactions as (

    select distinct identities.customer_id, messages.message_date as day
    from {{ ref('stg_messages') }} as messages
    inner join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id
    inner join {{ ref('int_lifecycle_starts') }} as starts on identities.customer_id = starts.customer_id
    where
        messages.event in ('opened', 'clicked')
        and messages.message_date > {{ days_before(history_start(), rule('lifecycle.engaged_days')) }}
        and (starts.first_purchase_date is null or messages.message_date < starts.first_purchase_date)

),

days as (

    select customer_id, day from visits

    union distinct

    select customer_id, day from reactions

),

gaps as (

    select
        customer_id,
        day,
        {{ days_between('lag(day) over (partition by customer_id order by day)', 'day') }} as days_since,
        {{ days_between('day', 'lead(day) over (partition by customer_id order by day)') }} as days_until
    from days

),

final as (

    select customer_id, day, true as has_engaged
    from gaps
    where days_since is null or days_since > {{ rule('lifecycle.engaged_days') }}

    union all

    select customer_id, {{ days_after('day', rule('lifecycle.engaged_days')) }} as day, false as has_engaged
    from gaps
    where days_until is null or days_until > {{ rule('lifecycle.engaged_days') }}

)

select * from final
