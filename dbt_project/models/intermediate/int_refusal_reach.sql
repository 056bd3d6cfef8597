-- Whom a record's no reaches besides its own customer: everybody who has or had an address that the record has or had,
-- for each may have changed since (docs/decisions/0010). A number that stands as an id reaches who has it today.
with

identities as (

    select source, contact_id, customer_id from {{ ref('int_customer_identities') }}

),

known_addresses as (

    select source, contact_id, address_id from {{ ref('int_known_addresses') }}

),

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

addresses as (

    select
        refusers.source,
        refusers.contact_id,
        known_addresses.address_id
    from refusers
    inner join known_addresses
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

),

-- Who has an address today is reached however many share it, also a number that looks like none: it is written to.
holders as (

    select source, contact_id, address_id, false as is_today from known_addresses

    union all

    select source, contact_id, kind || ':' || {{ sha256('value') }} as address_id, true as is_today
    from {{ ref('int_contact_values') }}
    where kind = 'email'

    union all

    select source, contact_id, 'phone:' || {{ sha256('phone') }} as address_id, true as is_today
    from {{ ref('stg_contacts') }}
    where phone is not null

),

owners as (

    select
        addresses.source,
        addresses.contact_id,
        identities.customer_id,
        bool_or(holders.is_today and addresses.address_id = addresses.contact_id) as has_its_address
    from addresses
    inner join holders on addresses.address_id = holders.address_id
    inner join identities
        on
            holders.source = identities.source
            and holders.contact_id = identities.contact_id
    group by addresses.source, addresses.contact_id, identities.customer_id

),

final as (

    select owners.source, owners.contact_id, owners.customer_id, owners.has_its_address
    from owners
    left join identities
        on
            owners.source = identities.source
            and owners.contact_id = identities.contact_id
            and owners.customer_id = identities.customer_id
    where identities.customer_id is null

)

select * from final
