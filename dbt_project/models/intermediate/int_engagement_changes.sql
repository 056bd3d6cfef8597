-- The days on which a customer who had not bought yet began to show interest, and the first days on which the last
-- sign of it was too long ago. Signs are grouped by as many days as they count for, less the hour by which clocks may
-- change: within a group nothing can change. Only the first and the last of a group are told as days, because to
-- convert every instant takes longer than all the rest.
with

prospects as (

    select
        identities.source,
        identities.contact_id,
        identities.customer_id,
        {{ utc_instant(
            "cast(coalesce(starts.first_purchase_date, " ~ days_after(as_of_date(), 1) ~ ") as timestamp)"
        ) }} as before_instant
    from {{ ref('int_customer_identities') }} as identities
    inner join {{ ref('int_lifecycle_starts') }} as starts on identities.customer_id = starts.customer_id
    where starts.first_purchase_date is null or starts.first_purchase_date > {{ history_start() }}

),

signs as (

    select source, contact_id, occurred_at from {{ ref('stg_events') }}
    where {{ is_after('occurred_at', days_before(history_start(), rule('lifecycle.engaged_days'))) }}

    union all

    select source, contact_id, occurred_at from {{ ref('stg_messages') }}
    where
        event in ('opened', 'clicked')
        and {{ is_after('occurred_at', days_before(history_start(), rule('lifecycle.engaged_days'))) }}

),

grouped as (

    select
        prospects.customer_id,
        min(signs.occurred_at) as first_sign_at,
        max(signs.occurred_at) as last_sign_at
    from signs
    inner join prospects
        on
            signs.source = prospects.source
            and signs.contact_id = prospects.contact_id
            and signs.occurred_at < prospects.before_instant
    group by
        prospects.customer_id,
        floor(
            {{ seconds_between('signs.occurred_at', as_of_end()) }}
            / cast({{ rule('lifecycle.engaged_days') }} * 86400 - 3600 as double)
        )

),

groups as (

    select
        customer_id,
        {{ local_date('first_sign_at') }} as first_day,
        {{ local_date('last_sign_at') }} as last_day
    from grouped

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
