-- Who has said no since the end of the as-of date, as far as it has landed. The one thing after the day that counts:
-- it can only keep somebody off a list, never change what the day was like (docs/decisions/0006).
with

refusals as (

    select
        namespace as source,
        {{ person_id('contact_id', 'email') }} as contact_id,
        email,
        channel,
        lower(coalesce(purpose, 'marketing')) as purpose
    from {{ source('landing', 'consents') }}
    where not {{ is_known('status_at') }} and status in ('denied', 'revoked')

    union distinct

    select
        namespace as source,
        {{ person_id('contact_id', 'email') }} as contact_id,
        email,
        channel,
        'marketing' as purpose
    from {{ source('landing', 'messages') }}
    where not {{ is_known('occurred_at') }} and event in ('unsubscribed', 'complained')

)

select source, contact_id, email, channel, purpose
from refusals
where contact_id is not null
