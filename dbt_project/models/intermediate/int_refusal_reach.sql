-- Whom a record's no reaches besides its own customer: everybody who has or had an address that the record has or had,
-- for each may have changed since (docs/decisions/0010). A number that stands as an id reaches who has it today.
with

identities as (

    select source, contact_id, customer_id from {{ ref('int_customer_identities') }}

),

-- Who has an address today is reached however many share it, also a number that looks like none: it is written to.
holders as (

    select source, contact_id, address_id, false as is_today from {{ ref('int_known_addresses') }}

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
    from {{ ref('int_refused_addresses') }} as addresses
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
