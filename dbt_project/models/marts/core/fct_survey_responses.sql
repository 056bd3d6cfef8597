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
        case
            when responses.kind <> 'nps' or responses.score is null then null
            when responses.score >= 9 then 'promoter'
            when responses.score >= 7 then 'passive'
            else 'detractor'
        end as nps_group,
        responses.comment,
        responses.touchpoint,
        responses.order_id
    from {{ ref('stg_survey_responses') }} as responses
    left join {{ ref('int_customer_identities') }} as identities
        on
            responses.source = identities.source
            and responses.contact_id = identities.contact_id

)

select * from final
