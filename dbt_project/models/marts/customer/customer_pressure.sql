-- How many messages everybody was sent within the days that the caps look at. Days are those of the customer's time
-- zone, up to the one on which the lists of today are sent. Of a day count the messages that the tool has reported or,
-- if there are more of them, those that were handed out: so none is missed, and none is counted twice.
{%- set window_days = rule('pressure.window_days') %}
{# No two time zones are further apart than that. #}
{%- set first_day = days_before(as_of_date(), window_days + 2) %}
with

customers as (

    select
        customers.customer_id,
        case
            when upper(customers.country) = '{{ var("country") }}' then '{{ var("time_zone") }}'
            else coalesce(zones.time_zone, '{{ var("time_zone") }}')
        end as time_zone
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('country_time_zones') }} as zones on upper(customers.country) = zones.country

),

-- A message that is reported twice was sent once.
reported as (

    select customer_id, channel, min(occurred_at) as sent_at
    from {{ ref('fct_messages') }}
    where event = 'sent' and message_date >= {{ first_day }}
    group by customer_id, channel, source, message_id

),

messages as (

    select customer_id, channel, sent_at, 1 as reported, 0 as handed_out from reported

    union all

    select customer_id, channel, sent_at, 0 as reported, 1 as handed_out from {{ ref('fct_sends') }}
    where test_group = 'member' and as_of_date >= {{ first_day }}

),

dated as (

    select
        messages.customer_id,
        messages.channel,
        messages.reported,
        messages.handed_out,
        {{ date_in_zone('messages.sent_at', 'customers.time_zone') }} as sent_date,
        {{ date_in_zone(send_instant(as_of_date()), 'customers.time_zone') }} as next_date
    from messages
    inner join customers on messages.customer_id = customers.customer_id

),

days as (

    select
        customer_id,
        channel,
        sent_date,
        next_date,
        greatest(sum(reported), sum(handed_out)) as n_messages
    from dated
    group by customer_id, channel, sent_date, next_date

),

final as (

    select
        customer_id,
        channel,
        {{ as_of_date() }} as as_of_date,
        cast(sum(n_messages) as integer) as messages_in_window
    from days
    where sent_date > {{ days_before('next_date', window_days) }}
    group by customer_id, channel

)

select * from final
