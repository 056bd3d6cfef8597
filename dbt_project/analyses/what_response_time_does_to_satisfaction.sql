-- What does the time to the first answer do to satisfaction and NPS?
--
-- How to read: answered tickets of the last `days`, by how long the customer waited (business minutes), in `groups`
-- groups of about the same size; equal times are in the same group. `csat` is the mean rating of the answer, 1-5;
-- `nps` is that of the surveys that follow such a ticket (linked_ticket_id), in points.
-- Mind: hard cases take longer and please less, whoever answers: look at one kind of ticket at a time (`kind`). Few
-- rate: see `ratings` and `nps_answers` before you conclude.
with

question as (

    select
        max(as_of_date) as as_of_date,
        365 as days,
        4 as groups
    from metrics.source_freshness

),

tickets as (

    select
        fct_tickets.source,
        fct_tickets.ticket_id,
        fct_tickets.kind,
        fct_tickets.first_response_business_minutes as minutes,
        fct_tickets.csat_score,
        1 + cast(floor(
            question.groups * percent_rank() over (
                partition by fct_tickets.kind order by fct_tickets.first_response_business_minutes
            )
        ) as integer) as place,
        question.groups
    from core.fct_tickets
    cross join question
    where
        fct_tickets.first_response_business_minutes is not null
        and fct_tickets.opened_date > question.as_of_date - question.days

),

answers as (

    select
        linked_ticket_source as source,
        linked_ticket_id as ticket_id,
        count(*) as answers,
        count(*) filter (where nps_group = 'promoter') as promoters,
        count(*) filter (where nps_group = 'detractor') as detractors
    from core.fct_survey_responses
    where kind = 'nps' and score is not null and linked_ticket_id is not null
    group by linked_ticket_source, linked_ticket_id

)

select
    tickets.kind,
    least(tickets.place, tickets.groups) as waited_group,
    min(tickets.minutes) as from_minutes,
    max(tickets.minutes) as to_minutes,
    count(*) as tickets,
    count(tickets.csat_score) as ratings,
    round(avg(tickets.csat_score), 2) as csat,
    coalesce(sum(answers.answers), 0) as nps_answers,
    round(100 * (sum(answers.promoters) - sum(answers.detractors)) / nullif(sum(answers.answers), 0), 1) as nps
from tickets
left join answers on tickets.source = answers.source and tickets.ticket_id = answers.ticket_id
group by tickets.kind, least(tickets.place, tickets.groups)
order by tickets.kind, waited_group
