with

identities as (

    select * from {{ ref('int_customer_identities') }}

),

-- Somebody in no contact list may still be reachable at the address that their answers and tickets carry.
carried as (

    select identities.customer_id, max(addresses.email) as email
    from identities
    inner join {{ ref('int_carried_addresses') }} as addresses
        on
            identities.source = addresses.source
            and identities.contact_id = addresses.contact_id
    group by identities.customer_id

),

customers as (

    select
        customer_id,
        min(first_seen_at) as first_seen_at,
        cast(count(*) as integer) as n_records,
        bool_or(is_listed) as is_listed
    from identities
    group by customer_id

),

final as (

    select
        customers.customer_id,
        {{ local_date('customers.first_seen_at') }} as first_seen_date,
        profiles.signup_at,
        {{ local_date('profiles.signup_at') }} as signup_date,
        profiles.acquisition_channel,
        profiles.gender,
        profiles.occupation,
        profiles.city,
        profiles.country,
        profiles.language,
        profiles.interests,
        profiles.birth_date,
        profiles.first_name,
        profiles.last_name,
        coalesce(profiles.email, carried.email) as email,
        profiles.phone,
        coalesce(profiles.email, carried.email) is not null as has_email,
        profiles.phone is not null as has_phone,
        coalesce(profiles.has_invalid_email, false) as has_invalid_email,
        customers.n_records,
        customers.is_listed
    from customers
    left join {{ ref('int_customer_profiles') }} as profiles on customers.customer_id = profiles.customer_id
    left join carried on customers.customer_id = carried.customer_id

)

select * from final
