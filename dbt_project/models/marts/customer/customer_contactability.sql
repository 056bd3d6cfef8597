with

customers as (

    select
        customers.*,
        roles.local_part is not null as has_role_address
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('role_addresses') }} as roles
        on {{ role_of('customers.email') }} = roles.local_part

),

judged as (

    select
        customers.customer_id,
        channels.channel,
        channels.address as kind,
        case
            when channels.address = 'email' then customers.email
            when channels.address = 'phone' then customers.phone
        end as address,
        case
            when channels.address = 'email' and not customers.has_email and customers.has_invalid_email
                then 'invalid address'
            when channels.address = 'email' and not customers.has_email then 'no address'
            when channels.address = 'phone' and not customers.has_phone then 'no address'
            when channels.address = 'email' and customers.has_role_address then 'role address'
            when suppressions.reason is not null then suppressions.reason
            when states.is_granted is null then 'no consent'
            when states.is_awaiting_confirmation then 'not confirmed'
            when not states.is_granted then 'consent revoked'
        end as own_reason,
        suppressions.reason is not null
        or (not states.is_granted and not coalesce(states.is_awaiting_confirmation, false)) as has_said_no
    from customers
    cross join {{ ref('channels') }} as channels
    left join {{ ref('int_consent_states') }} as states
        on
            customers.customer_id = states.customer_id
            and channels.channel = states.channel
    left join {{ ref('int_suppressions') }} as suppressions
        on
            customers.customer_id = suppressions.customer_id
            and channels.channel = suppressions.channel

),

-- Two customers with one address share the stricter answer, also where it is not the one that the other is written to
-- at.
refused as (

    select distinct judged.channel, judged.kind, addresses.address
    from judged
    inner join {{ ref('int_customer_addresses') }} as addresses
        on
            judged.customer_id = addresses.customer_id
            and judged.kind = addresses.kind
    where judged.has_said_no

),

final as (

    select
        judged.customer_id,
        judged.channel,
        {{ as_of_date() }} as as_of_date,
        coalesce(
            judged.own_reason,
            case when refused.address is not null then 'somebody with the same address said no' end
        ) as reason,
        reason is null as is_contactable
    from judged
    left join refused
        on
            judged.channel = refused.channel
            and judged.kind = refused.kind
            and judged.address = refused.address

)

select customer_id, channel, as_of_date, is_contactable, reason from final
