-- What speaks against writing to a customer on a channel, whatever they once agreed to: a complaint
-- for good, an unsubscribe until they agree again, a bounce until something arrives again.
with

messages as (

    select
        identities.customer_id,
        messages.channel,
        max(case when messages.event = 'complained' then messages.occurred_at end) as complained_at,
        max(case when messages.event = 'unsubscribed' then messages.occurred_at end) as unsubscribed_at,
        max(case when messages.event = 'bounced' then messages.occurred_at end) as bounced_at,
        max(case when messages.event in ('delivered', 'opened', 'clicked') then messages.occurred_at end) as arrived_at
    from {{ ref('stg_messages') }} as messages
    inner join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id
    group by identities.customer_id, messages.channel

),

final as (

    select
        messages.customer_id,
        messages.channel,
        case
            when messages.complained_at is not null then 'complained'
            when
                messages.unsubscribed_at is not null
                and (states.granted_at is null or states.granted_at <= messages.unsubscribed_at) then 'unsubscribed'
            when
                messages.bounced_at is not null
                and (messages.arrived_at is null or messages.arrived_at <= messages.bounced_at) then 'bounced'
        end as reason
    from messages
    left join {{ ref('int_consent_states') }} as states
        on
            messages.customer_id = states.customer_id
            and messages.channel = states.channel

)

select * from final
where reason is not null
