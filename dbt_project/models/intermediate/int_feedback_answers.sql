-- Every survey with what was answered. A rating of the answer to a ticket is a satisfaction score as well, given when
-- the ticket was resolved.
with

surveys as (

    select
        'survey' as given_in,
        responses.source,
        responses.response_id,
        identities.customer_id,
        responses.kind,
        responses.survey,
        responses.touchpoint,
        responses.order_id,
        responses.sent_at,
        responses.answered_at,
        responses.answer_date,
        responses.score
    from {{ ref('stg_survey_responses') }} as responses
    left join {{ ref('int_customer_identities') }} as identities
        on
            responses.source = identities.source
            and responses.contact_id = identities.contact_id

),

ratings as (

    select
        'ticket' as given_in,
        tickets.source,
        'ticket:' || tickets.ticket_id as response_id,
        identities.customer_id,
        'csat' as kind,
        'ticket' as survey,
        'ticket' as touchpoint,
        cast(null as varchar) as order_id,
        cast(null as timestamp) as sent_at,
        tickets.resolved_at as answered_at,
        {{ local_date('tickets.resolved_at') }} as answer_date,
        tickets.csat_score as score
    from {{ ref('stg_tickets') }} as tickets
    left join {{ ref('int_customer_identities') }} as identities
        on
            tickets.source = identities.source
            and tickets.contact_id = identities.contact_id
    where tickets.csat_score is not null and tickets.resolved_at is not null

),

final as (

    select * from surveys

    union all

    select * from ratings

)

select * from final
