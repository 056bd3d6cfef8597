-- The addresses that each record has or had, as the ids that records known by an address only are given.
with

final as (

    select source, contact_id, {{ person_id('null', 'value') }} as address_id
    from {{ ref('int_contact_values') }}
    where kind = 'email' and is_linking

    union distinct

    select source, contact_id, address_id from {{ source('registry', 'addresses') }}

)

select * from final
