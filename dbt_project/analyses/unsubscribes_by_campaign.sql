-- Which campaigns make people unsubscribe?
--
-- How to read: one row per campaign and channel of the last `days`, the worst first. The rates are per 1,000 messages
-- that arrived (sent, less bounced); `expected_refusals` is how many had unsubscribed or complained at the average
-- rate of all, so one with 5 against 1.2 deserves a look and one with 1 against 0.4 does not.
-- Mind: each message counts once, whatever a tool reports of it, and how often. Opens include those of mail programs
-- that load pictures by themselves.
with

question as (

    select
        max(as_of_date) as as_of_date,
        365 as days
    from metrics.source_freshness

),

messages as (

    select
        fct_messages.source,
        fct_messages.message_id,
        fct_messages.channel,
        coalesce(max(fct_messages.campaign), '(none)') as campaign,
        min(fct_messages.message_date) as first_date,
        bool_or(fct_messages.event = 'bounced') as is_bounced,
        bool_or(fct_messages.event in ('opened', 'clicked')) as is_opened,
        bool_or(fct_messages.event = 'clicked') as is_clicked,
        bool_or(fct_messages.event = 'unsubscribed') as is_unsubscribed,
        bool_or(fct_messages.event = 'complained') as is_complained
    from core.fct_messages
    cross join question
    group by
        fct_messages.source, fct_messages.message_id, fct_messages.channel, question.as_of_date, question.days
    having min(fct_messages.message_date) > question.as_of_date - question.days

),

campaigns as (

    select
        campaign,
        channel,
        min(first_date) as first_date,
        count(*) as messages,
        count(*) filter (where not is_bounced) as arrived,
        count(*) filter (where is_opened) as opened,
        count(*) filter (where is_clicked) as clicked,
        count(*) filter (where is_unsubscribed) as unsubscribed,
        count(*) filter (where is_complained) as complained,
        count(*) filter (where is_unsubscribed or is_complained) as refusals
    from messages
    group by campaign, channel

)

select
    campaign,
    channel,
    first_date,
    messages,
    arrived,
    round(opened / nullif(arrived, 0), 4) as open_rate,
    round(clicked / nullif(arrived, 0), 4) as click_rate,
    unsubscribed,
    complained,
    round(1000 * refusals / nullif(arrived, 0), 2) as refusals_per_1000,
    round(arrived * sum(refusals) over () / nullif(sum(arrived) over (), 0), 1) as expected_refusals
from campaigns
order by refusals_per_1000 desc nulls last, campaign asc, channel asc
