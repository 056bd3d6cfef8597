-- When a customer last did something of their own accord: visited, opened or clicked.
with

visits as (

    select identities.customer_id, max(events.event_date) as engaged_date
    from {{ ref('stg_events') }} as events
    inner join {{ ref('int_customer_identities') }} as identities
        on
            events.source = identities.source
            and events.contact_id = identities.contact_id
    group by identities.customer_id

),

reactions as (

    select identities.customer_id, max(messages.message_date) as engaged_date
    from {{ ref('stg_messages') }} as messages
    inner join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id
    where messages.event in ('opened', 'clicked')
    group by identities.customer_id

),

final as (

    select customer_id, max(engaged_date) as last_engaged_date
    from (
        select customer_id, engaged_date from visits
        union all
        select customer_id, engaged_date from reactions
    ) as engagements
    group by customer_id

)

select * from final
