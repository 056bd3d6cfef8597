-- What tells whether a customer who buys regularly without discounts is satisfied, on the day on which it was known:
-- the last score of each kind of question, that they wrote of their own accord, and complaints that began or ended.
with

customers as (

    select distinct customer_id from {{ ref('int_sieve_changes') }}
    where sieve_verdict = 'passes'

),

answers as (

    select answers.customer_id, answers.answer_date as day, answers.kind, answers.score
    from {{ ref('int_feedback_answers') }} as answers
    inner join customers on answers.customer_id = customers.customer_id
    where answers.score is not null
    qualify row_number() over (
        partition by answers.customer_id, answers.kind, answers.answer_date
        order by answers.answered_at desc, answers.response_id desc, answers.source desc
    ) = 1

),

tickets as (

    select
        identities.customer_id,
        tickets.kind = 'complaint' as is_complaint,
        tickets.opened_date,
        {{ local_date('tickets.resolved_at') }} as resolved_date
    from {{ ref('stg_tickets') }} as tickets
    inner join {{ ref('int_customer_identities') }} as identities
        on
            tickets.source = identities.source
            and tickets.contact_id = identities.contact_id
    inner join customers on identities.customer_id = customers.customer_id

),

-- One that was settled on its first day was never open.
complaints as (

    select * from tickets
    where is_complaint and (resolved_date is null or resolved_date > opened_date)

),

turns as (

    select customer_id, opened_date as day, 1 as more_complaints from complaints

    union all

    select customer_id, resolved_date, -1 from complaints
    where resolved_date is not null

),

final as (

    select customer_id, day, kind, score, 0 as more_complaints from answers

    union all

    select distinct customer_id, opened_date, 'written', null, 0 from tickets
    where not is_complaint

    union all

    select customer_id, day, 'complaint', null, cast(sum(more_complaints) as integer) from turns
    group by customer_id, day

)

select * from final
