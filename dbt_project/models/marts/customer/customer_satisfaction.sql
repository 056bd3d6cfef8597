-- What a customer last said of us within the window of the rules, and whether a complaint is open.
with

scores as (

    select
        customer_id,
        kind,
        score,
        {{ nps_group('kind', 'score') }} as nps_group,
        answered_at,
        answer_date,
        source,
        response_id
    from {{ ref('int_feedback_answers') }}
    where score is not null

),

latest as (

    select *
    from scores
    where
        customer_id is not null
        and answer_date > {{ days_before(as_of_date(), rule('lifecycle.satisfaction_days')) }}
    qualify row_number() over (
        partition by customer_id, kind
        order by answered_at desc, response_id desc, source desc
    ) = 1

),

answers as (

    select
        customer_id,
        max(case when kind = 'nps' then score end) as nps_score,
        max(nps_group) as nps_group,
        max(case when kind = 'nps' then answered_at end) as nps_answered_at,
        max(case when kind = 'nps' then answer_date end) as nps_answer_date,
        max(case when kind = 'csat' then score end) as csat_score,
        max(case when kind = 'csat' then answer_date end) as csat_answer_date,
        max(case when kind = 'ces' then score end) as ces_score,
        max(case when kind = 'ces' then answer_date end) as ces_answer_date
    from latest
    group by customer_id

),

tickets as (

    select
        customer_id,
        bool_or(kind = 'complaint' and not is_resolved) as has_open_complaint,
        bool_or(
            kind <> 'complaint'
            and opened_date > {{ days_before(as_of_date(), rule('lifecycle.satisfaction_days')) }}
        ) as has_written
    from {{ ref('fct_tickets') }}
    where customer_id is not null
    group by customer_id

),

final as (

    select
        coalesce(answers.customer_id, tickets.customer_id) as customer_id,
        {{ as_of_date() }} as as_of_date,
        answers.nps_score,
        answers.nps_group,
        answers.nps_answered_at,
        answers.nps_answer_date,
        answers.csat_score,
        answers.csat_answer_date,
        answers.ces_score,
        answers.ces_answer_date,
        {{ is_satisfied(
            'answers.csat_score', 'answers.nps_score',
            'answers.ces_score is not null or coalesce(tickets.has_written, false)'
        ) }} as is_satisfied,
        coalesce(tickets.has_open_complaint, false) as has_open_complaint
    from answers
    full outer join tickets on answers.customer_id = tickets.customer_id

)

select * from final
