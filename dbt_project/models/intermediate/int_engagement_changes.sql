-- The days on which a customer who had not bought yet began to show interest, and the first days on which the last
-- sign of it was too long ago. Signs are grouped by as many days as they count for: within a group nothing can change.
with

prospects as (

    select
        identities.source,
        identities.contact_id,
        identities.customer_id,
        coalesce(starts.first_purchase_date, {{ days_after(as_of_date(), 1) }}) as before_date
    from {{ ref('int_customer_identities') }} as identities
    inner join {{ ref('int_lifecycle_starts') }} as starts on identities.customer_id = starts.customer_id
    where starts.first_purchase_date is null or starts.first_purchase_date > {{ history_start() }}

),

signs as (

    select source, contact_id, event_date as day from {{ ref('stg_events') }}
    where event_date > {{ days_before(history_start(), rule('lifecycle.engaged_days')) }}

    union all

    select source, contact_id, message_date as day from {{ ref('stg_messages') }}
    where
        event in ('opened', 'clicked')
        and message_date > {{ days_before(history_start(), rule('lifecycle.engaged_days')) }}

),

groups as (

    select
        prospects.customer_id,
        min(signs.day) as first_day,
        max(signs.day) as last_day
    from signs
    inner join prospects
        on
            signs.source = prospects.source
            and signs.contact_id = prospects.contact_id
            and signs.day < prospects.before_date
    group by
        prospects.customer_id,
        floor({{ days_between('signs.day', as_of_date()) }} / cast({{ rule('lifecycle.engaged_days') }} as double))

),

gaps as (

    select
        customer_id,
        first_day,
        last_day,
        {{ days_between('lag(last_day) over (partition by customer_id order by first_day)', 'first_day') }}
            as days_since,
        {{ days_between('last_day', 'lead(first_day) over (partition by customer_id order by first_day)') }}
            as days_until
    from groups

),

final as (

    select customer_id, first_day as day, true as has_engaged
    from gaps
    where days_since is null or days_since > {{ rule('lifecycle.engaged_days') }}

    union all

    select customer_id, {{ days_after('last_day', rule('lifecycle.engaged_days')) }} as day, false as has_engaged
    from gaps
    where days_until is null or days_until > {{ rule('lifecycle.engaged_days') }}

)

select * from final
