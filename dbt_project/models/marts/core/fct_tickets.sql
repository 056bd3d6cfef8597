-- Minutes are known when the thing has happened. Whether a target was missed can be known before, and is not known
-- where a ticket that was resolved late has no record of its first answer.
with

tickets as (

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
        {{ whole_minutes('times.answer_seconds') }} as answer_minutes,
        {{ whole_minutes('times.answer_business_seconds') }} as answer_business_minutes,
        {{ whole_minutes('times.resolution_seconds') }} as resolution_minutes,
        {{ whole_minutes('times.resolution_business_seconds') }} as resolution_business_minutes
    from {{ ref('stg_tickets') }} as tickets
    left join {{ ref('int_customer_identities') }} as identities
        on
            tickets.source = identities.source
            and tickets.contact_id = identities.contact_id
    left join {{ ref('int_ticket_times') }} as times
        on
            tickets.source = times.source
            and tickets.ticket_id = times.ticket_id

),

judged as (

    select
        *,
        case
            when answer_business_minutes <= {{ rule('service.first_response_hours') }} * 60
                then case when first_replied_at is not null or resolved_at is not null then false end
            when first_replied_at is not null or resolved_at is null then true
        end as is_first_response_breached,
        case
            when resolution_business_minutes > {{ rule('service.resolution_hours') }} * 60 then true
            when resolved_at is not null then false
        end as is_resolution_breached
    from tickets

),

final as (

    select
        ticket_id,
        source,
        customer_id,
        kind,
        channel,
        topic,
        opened_at,
        opened_date,
        first_replied_at,
        resolved_at,
        reopened_count,
        csat_score,
        resolved_at is not null as is_resolved,
        case when first_replied_at is not null then answer_minutes end as first_response_minutes,
        case when first_replied_at is not null then answer_business_minutes end as first_response_business_minutes,
        case when resolved_at is not null then resolution_minutes end as resolution_minutes,
        case when resolved_at is not null then resolution_business_minutes end as resolution_business_minutes,
        is_first_response_breached,
        is_resolution_breached,
        is_first_response_breached or is_resolution_breached as is_sla_breached,
        reopened_count > 0 as is_reopened
    from judged

)

select * from final
