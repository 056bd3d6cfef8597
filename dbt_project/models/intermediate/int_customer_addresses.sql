-- The addresses and numbers that the records of a customer have today, also those of a role and those that say nothing
-- of who it is: messages may go to them.
with

identities as (

    select source, contact_id, customer_id from {{ ref('int_customer_identities') }}

),

held as (

    select source, contact_id, 'email' as kind, email as address from {{ ref('stg_contacts') }}

    union all

    select source, contact_id, 'email' as kind, email as address from {{ ref('int_carried_addresses') }}

    union all

    select source, contact_id, 'phone' as kind, phone as address from {{ ref('stg_contacts') }}

),

final as (

    select distinct identities.customer_id, held.kind, held.address
    from held
    inner join identities
        on
            held.source = identities.source
            and held.contact_id = identities.contact_id
    where held.address is not null

)

select * from final
