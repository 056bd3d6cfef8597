with

final as (

    select
        responses.response_id,
        responses.source,
        identities.customer_id,
        responses.survey,
        responses.kind,
        responses.sent_at,
        responses.answered_at,
        responses.answer_date,
        responses.score,
        {{ nps_group('responses.kind', 'responses.score') }} as nps_group,
        responses.comment,
        responses.touchpoint,
        responses.order_id,
        links.linked_order_id,
        links.linked_order_source,
        links.order_linked_by,
        links.linked_ticket_id,
        links.linked_ticket_source,
        links.ticket_linked_by
    from {{ ref('stg_survey_responses') }} as responses
    left join {{ ref('int_customer_identities') }} as identities
        on
            responses.source = identities.source
            and responses.contact_id = identities.contact_id
    left join {{ ref('int_feedback_links') }} as links
        on
            responses.source = links.source
            and responses.response_id = links.response_id

)

select * from final
