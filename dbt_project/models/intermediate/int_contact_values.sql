-- What may make two records one person: addresses and telephone numbers of a person (not of a role, info@, ..., and
-- none that stands for "there is none"), and links that the company declares. What too many records share links nobody.
with

contacts as (

    select source, contact_id, email, phone from {{ ref('stg_contacts') }}

),

addresses as (

    select source, contact_id, email from contacts

    union all

    select carried.source, carried.contact_id, carried.email
    from {{ ref('int_carried_addresses') }} as carried
    left join contacts
        on
            carried.source = contacts.source
            and carried.contact_id = contacts.contact_id
            and carried.email = contacts.email
    where contacts.contact_id is null

),

personal as (

    select
        addresses.source,
        addresses.contact_id,
        'email' as kind,
        addresses.email as value
    from addresses
    left join {{ ref('role_addresses') }} as roles on {{ role_of('addresses.email') }} = roles.local_part
    where addresses.email is not null and roles.local_part is null

    union all

    select source, contact_id, 'phone' as kind, phone as value
    from contacts
    where
        phone is not null
        and not exists (
            select 1 from {{ ref('placeholder_phones') }} as placeholders
            where contacts.phone like '%' || placeholders.last_digits
        )

),

-- A record that exists only because of its address always belongs to that address, so it does not count as sharing it.
counted as (

    select
        source,
        contact_id,
        kind,
        value,
        sum(case when contact_id like 'email:%' then 0 else 1 end) over (partition by kind, value) as n_records
    from personal

),

-- A declared link is a value that both records have: the name of the second.
declared as (

    select source, contact_id, other_source || ':' || other_contact_id as value
    from {{ source('reference', 'links') }}

    union distinct

    select other_source, other_contact_id, other_source || ':' || other_contact_id as value
    from {{ source('reference', 'links') }}

),

final as (

    select
        source,
        contact_id,
        kind,
        value,
        cast(n_records as integer) as n_records,
        n_records <= {{ rule('identity.max_records_per_value') }} as is_linking
    from counted

    union all

    select source, contact_id, 'link' as kind, value, cast(null as integer) as n_records, true as is_linking
    from declared

)

select * from final
