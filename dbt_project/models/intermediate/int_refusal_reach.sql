-- Whom a record's no reaches besides its own customer: everybody who has or had the record's address, for an address may
-- have changed since (docs/decisions/0010).
with

identities as (

    select source, contact_id, customer_id from {{ ref('int_customer_identities') }}

),

refusers as (

    select source, contact_id from {{ ref('stg_consents') }} where status <> 'granted'

    union distinct

    select source, contact_id from {{ ref('stg_messages') }}
    where contact_id is not null and event in ('unsubscribed', 'complained')

    union distinct

    select source, contact_id from {{ ref('stg_late_refusals') }}

),

addresses as (

    select
        refusers.source,
        refusers.contact_id,
        {{ person_id('null', 'address.value') }} as address_id
    from refusers
    inner join {{ ref('int_contact_values') }} as address
        on
            refusers.source = address.source
            and refusers.contact_id = address.contact_id
    where address.kind = 'email' and address.is_linking

    union distinct

    select source, contact_id, contact_id as address_id
    from refusers
    where contact_id like 'email:%'

),

owners as (

    select distinct
        addresses.source,
        addresses.contact_id,
        identities.customer_id
    from addresses
    inner join {{ ref('int_known_addresses') }} as known on addresses.address_id = known.address_id
    inner join identities
        on
            known.source = identities.source
            and known.contact_id = identities.contact_id

),

final as (

    select owners.source, owners.contact_id, owners.customer_id
    from owners
    left join identities
        on
            owners.source = identities.source
            and owners.contact_id = identities.contact_id
            and owners.customer_id = identities.customer_id
    where identities.customer_id is null

)

select * from final
