-- The addresses and telephone numbers that make two records one person: not those of a role
-- (info@, ...), and not those that too many records share.
with

mentions as (

    select source, contact_id, 'email' as kind, email as value from {{ ref('stg_contacts') }}

    union distinct

    select source, contact_id, 'phone' as kind, phone as value from {{ ref('stg_contacts') }}

    union distinct

    select source, contact_id, 'email' as kind, email as value from {{ ref('int_carried_addresses') }}

),

personal as (

    select mentions.*
    from mentions
    left join {{ ref('role_addresses') }} as roles
        on
            mentions.kind = 'email'
            and split_part(mentions.value, '@', 1) = roles.local_part
    where
        mentions.value is not null
        and mentions.contact_id is not null
        and roles.local_part is null

),

-- A record that exists only because of its address always belongs to that address, so it does not count as sharing it.
final as (

    select
        source,
        contact_id,
        kind,
        value,
        sum(case when contact_id like 'email:%' then 0 else 1 end) over (partition by kind, value) as n_records
    from personal
    qualify n_records <= {{ rule('identity.max_records_per_value') }}

)

select * from final
