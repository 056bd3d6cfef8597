-- Are we mailing anyone too much?
--
-- How to read: customers by the most messages that they were sent on a channel within any 7 days of the last `days`.
-- Compare `most_in_a_week` with `rules.caps`; then see from which number on people open less, or leave.
-- Mind: who reads more may also be sent more (and those who left are sent less), so a row is no proof of cause. Only
-- messages that a tool has reported as sent are counted.
with

question as (

    select
        max(as_of_date) as as_of_date,
        90 as days
    from metrics.source_freshness

),

messages as (

    select
        fct_messages.customer_id,
        fct_messages.channel,
        fct_messages.source,
        fct_messages.message_id,
        min(fct_messages.message_date) filter (where fct_messages.event = 'sent') as sent_on,
        bool_or(fct_messages.event in ('opened', 'clicked')) as is_read,
        bool_or(fct_messages.event in ('unsubscribed', 'complained')) as is_refused
    from core.fct_messages
    cross join question
    where fct_messages.customer_id is not null
    group by
        fct_messages.customer_id,
        fct_messages.channel,
        fct_messages.source,
        fct_messages.message_id,
        question.as_of_date,
        question.days
    having
        min(fct_messages.message_date) filter (where fct_messages.event = 'sent') > question.as_of_date - question.days

),

weeks as (

    select
        *,
        count(*) over (
            partition by customer_id, channel order by sent_on
            range between interval 6 day preceding and current row
        ) as within_a_week
    from messages

),

customers as (

    select
        customer_id,
        channel,
        max(within_a_week) as most_in_a_week,
        count(*) as messages,
        count(*) filter (where is_read) as read_messages,
        bool_or(is_refused) as has_refused
    from weeks
    group by customer_id, channel

)

select
    channel,
    most_in_a_week,
    count(*) as customers,
    sum(messages) as messages,
    round(sum(read_messages) / sum(messages), 4) as read_share,
    count(*) filter (where has_refused) as unsubscribed_or_complained,
    round(count(*) filter (where has_refused) / count(*), 4) as share_of_customers
from customers
group by channel, most_in_a_week
order by channel, most_in_a_week
