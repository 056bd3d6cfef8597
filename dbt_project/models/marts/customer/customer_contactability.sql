with

-- A customer with two records of one address is one; two customers with one address share the stricter answer.
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
        end as own_reason
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

final as (

    select
        customer_id,
        channel,
        {{ as_of_date() }} as as_of_date,
        coalesce(
            own_reason,
            case
                when address is not null
                    then max(case
                        when
                            own_reason in (
                                'consent revoked', 'complained', 'unsubscribed', 'suppressed', 'said no since',
                                'bounced'
                            )
                            then 'somebody with the same address said no'
                    end) over (partition by channel, address)
            end
        ) as reason,
        reason is null as is_contactable
    from judged

)

select customer_id, channel, as_of_date, is_contactable, reason from final
