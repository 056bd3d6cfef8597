-- The addresses that each record has or had, as the ids that records known by an address only are given: of today, of
-- the registry, and of days that landed but were never built. What belongs to a role or to too many is nobody's.
with

landed as (

    select
        addresses.source,
        addresses.contact_id,
        addresses.email,
        count(*) over (partition by addresses.email) as n_records
    from {{ ref('stg_contact_addresses') }} as addresses
    left join {{ ref('role_addresses') }} as roles on {{ role_of('addresses.email') }} = roles.local_part
    where roles.local_part is null

),

final as (

    select source, contact_id, {{ person_id('null', 'value') }} as address_id
    from {{ ref('int_contact_values') }}
    where kind = 'email' and is_linking

    union distinct

    select source, contact_id, {{ person_id('null', 'email') }} as address_id
    from landed
    where n_records <= {{ rule('identity.max_records_per_value') }}

    union distinct

    select source, contact_id, address_id from {{ source('registry', 'addresses') }}

)

select * from final
