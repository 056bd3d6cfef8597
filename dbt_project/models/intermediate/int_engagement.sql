-- When a customer last did something of their own accord: visited, opened or clicked.
with

visits as (

    select identities.customer_id, max(visits.last_visit_at) as engaged_at
    from {{ ref('int_visits') }} as visits
    inner join {{ ref('int_customer_identities') }} as identities
        on
            visits.source = identities.source
            and visits.contact_id = identities.contact_id
    group by identities.customer_id

),

reactions as (

    select identities.customer_id, max(messages.occurred_at) as engaged_at
    from {{ ref('stg_messages') }} as messages
    inner join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id
    where messages.event in ('opened', 'clicked')
    group by identities.customer_id

),

final as (

    select customer_id, {{ local_date('max(engaged_at)') }} as last_engaged_date
    from (
        select customer_id, engaged_at from visits
        union all
        select customer_id, engaged_at from reactions
    ) as engagements
    group by customer_id

)

select * from final
