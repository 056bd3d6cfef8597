with

final as (

    select
        tickets.ticket_id,
        tickets.source,
        identities.customer_id,
        tickets.kind,
        tickets.channel,
        tickets.topic,
        tickets.opened_at,
        tickets.opened_date,
        tickets.first_replied_at,
        tickets.resolved_at,
        tickets.reopened_count,
        tickets.csat_score,
        tickets.resolved_at is not null as is_resolved
    from {{ ref('stg_tickets') }} as tickets
    left join {{ ref('int_customer_identities') }} as identities
        on
            tickets.source = identities.source
            and tickets.contact_id = identities.contact_id

)

select * from final
