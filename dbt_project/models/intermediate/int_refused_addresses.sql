-- The addresses that a record's no is about: those that it has or had, the one that a no since the day carries, and its
-- id where that stands for one.
with

late as (

    select source, contact_id, email from {{ ref('stg_late_refusals') }}

),

refusers as (

    select source, contact_id
    from {{ ref('stg_consents') }}
    where status <> 'granted'

    union distinct

    select source, contact_id
    from {{ ref('stg_messages') }}
    where
        (contact_id is not null and event in ('unsubscribed', 'complained'))
        or (event = 'bounced' and (contact_id like 'email:%' or contact_id like 'phone:%'))

    union distinct

    select source, contact_id from late

    union distinct

    select '(suppressions)' as source, address as contact_id from {{ source('reference', 'suppressions') }}

    union distinct

    select '(refusals)' as source, address as contact_id from {{ source('registry', 'refusals') }}

),

final as (

    select
        refusers.source,
        refusers.contact_id,
        known_addresses.address_id
    from refusers
    inner join {{ ref('int_known_addresses') }} as known_addresses
        on
            refusers.source = known_addresses.source
            and refusers.contact_id = known_addresses.contact_id

    union distinct

    select source, contact_id, {{ person_id('null', 'email') }} as address_id
    from late
    where email is not null

    union distinct

    select source, contact_id, contact_id as address_id
    from refusers
    where contact_id like 'email:%' or contact_id like 'phone:%'

)

select * from final
