-- What a customer who buys regularly without discounts has said, on every day on which it changed: the latest scores
-- within the window of the rules, and whether a complaint was open.
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

complaints as (

    select * from tickets
    where is_complaint and (resolved_date is null or resolved_date > opened_date)

),

said as (

    select customer_id, day, kind, score, 0 as more_complaints from answers

    union all

    select customer_id, opened_date, 'written', null, 0 from tickets
    where not is_complaint

    union all

    select customer_id, opened_date, 'complaint', null, 1 from complaints

    union all

    select customer_id, resolved_date, 'complaint', null, -1 from complaints
    where resolved_date is not null

),

points as (

    select * from said

    union all

    -- When it was too long ago.
    select customer_id, {{ days_after('day', rule('lifecycle.satisfaction_days')) }}, 'nothing', null, 0
    from said
    where kind <> 'complaint'

),

days as (

    select
        customer_id,
        day,
        {% for kind in ('csat', 'nps') %}
            max(case when kind = '{{ kind }}' then score end) as {{ kind }}_score,
        {% endfor %}
        {% for kind in ('csat', 'nps', 'ces', 'written') %}
            max(case when kind = '{{ kind }}' then day end) as {{ kind }}_date,
        {% endfor %}
        sum(more_complaints) as more_complaints
    from points
    where day <= {{ as_of_date() }}
    group by customer_id, day

),

latest as (

    select
        customer_id,
        day,
        {% for kind in ('csat', 'nps') %}
            last_value({{ kind }}_score ignore nulls) over so_far as {{ kind }}_score,
        {% endfor %}
        {% for kind in ('csat', 'nps', 'ces', 'written') %}
            coalesce(
                max({{ kind }}_date) over so_far > {{ days_before('day', rule('lifecycle.satisfaction_days')) }}, false
            ) as has_{{ kind }},
        {% endfor %}
        sum(more_complaints) over so_far > 0 as has_open_complaint
    from days
    window so_far as (partition by customer_id order by day)

),

final as (

    select
        customer_id,
        day,
        {{ is_satisfied(
            'case when has_csat then csat_score end', 'case when has_nps then nps_score end', 'has_ces or has_written'
        ) }} as is_satisfied,
        has_open_complaint
    from latest

)

select * from final
