-- What a customer last said of us within the window of the rules, and whether a complaint is open.
with

responses as (

    select
        identities.customer_id,
        responses.kind,
        responses.score,
        responses.answer_date,
        row_number() over (
            partition by identities.customer_id, responses.kind
            order by responses.answered_at desc, responses.response_id desc, responses.source desc
        ) as place
    from {{ ref('stg_survey_responses') }} as responses
    inner join {{ ref('int_customer_identities') }} as identities
        on
            responses.source = identities.source
            and responses.contact_id = identities.contact_id
    where
        responses.score is not null
        and responses.answer_date > {{ days_before(as_of_date(), rule('lifecycle.satisfaction_days')) }}

),

answers as (

    select
        customer_id,
        max(case when kind = 'csat' and place = 1 then score end) as csat_score,
        max(case when kind = 'nps' and place = 1 then score end) as nps_score,
        max(answer_date) as answer_date
    from responses
    group by customer_id

),

tickets as (

    select
        identities.customer_id,
        bool_or(tickets.kind = 'complaint' and tickets.resolved_at is null) as has_open_complaint,
        bool_or(
            tickets.kind <> 'complaint'
            and tickets.opened_date > {{ days_before(as_of_date(), rule('lifecycle.satisfaction_days')) }}
        ) as has_written
    from {{ ref('stg_tickets') }} as tickets
    inner join {{ ref('int_customer_identities') }} as identities
        on
            tickets.source = identities.source
            and tickets.contact_id = identities.contact_id
    group by identities.customer_id

),

final as (

    select
        coalesce(answers.customer_id, tickets.customer_id) as customer_id,
        answers.csat_score,
        answers.nps_score,
        -- A score decides; without one, somebody who talks to us of their own accord counts as content.
        case
            when answers.csat_score is not null or answers.nps_score is not null
                then
                    coalesce(answers.csat_score >= {{ rule('lifecycle.satisfied_csat') }}, false)
                    or coalesce(answers.nps_score >= {{ rule('lifecycle.satisfied_nps') }}, false)
            else answers.answer_date is not null or coalesce(tickets.has_written, false)
        end as is_satisfied,
        coalesce(tickets.has_open_complaint, false) as has_open_complaint
    from answers
    full outer join tickets on answers.customer_id = tickets.customer_id

)

select * from final
