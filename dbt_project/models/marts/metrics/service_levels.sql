-- Tickets by the month in which they were opened. What a ticket was about is in somebody's words: a topic is named when
-- enough customers share it, so that it says nothing of any of them.
with

topics as (

    select topic
    from {{ ref('fct_tickets') }}
    group by topic
    having count(distinct customer_id) >= {{ rule('service.minimum_tickets') }}

),

tickets as (

    select
        tickets.kind,
        coalesce(tickets.channel, '(none)') as channel,
        case when tickets.topic is null then '(none)' else coalesce(topics.topic, '(other)') end as topic,
        cast(date_trunc('month', tickets.opened_date) as date) as month,
        tickets.first_response_minutes,
        tickets.first_response_business_minutes,
        tickets.is_resolved,
        tickets.is_sla_breached,
        tickets.is_reopened
    from {{ ref('fct_tickets') }} as tickets
    left join topics on tickets.topic = topics.topic

),

sliced as (

    {% for dimension, value in [('all', "'all'"), ('kind', 'kind'), ('channel', 'channel'), ('topic', 'topic')] %}
        select '{{ dimension }}' as dimension, {{ value }} as dimension_value, tickets.* from tickets
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

periods as (

    select 'all' as period_grain, cast(null as date) as period_start, sliced.* from sliced

    union all

    select 'month' as period_grain, sliced.month as period_start, sliced.* from sliced

),

-- Every order that was placed, also one that was sent back: it may be what the complaint is about.
orders as (

    select 'all' as period_grain, cast(null as date) as period_start, cast(count(*) as integer) as orders
    from {{ ref('fct_orders') }}

    union all

    select 'month', cast(date_trunc('month', order_date) as date), cast(count(*) as integer)
    from {{ ref('fct_orders') }}
    group by cast(date_trunc('month', order_date) as date)

),

counted as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        cast(count(*) as integer) as tickets,
        {{ count_where("kind = 'complaint'") }} as complaints,
        {{ count_where('first_response_minutes is not null') }} as answered,
        {{ count_where('is_resolved') }} as resolved,
        {{ count_where('is_sla_breached is not null') }} as judged,
        {{ count_where('not is_sla_breached') }} as within_sla,
        {{ count_where('is_resolved or is_reopened') }} as once_resolved,
        {{ count_where('is_reopened') }} as reopened,
        {{ quantile('first_response_minutes', 0.5) }} as median_minutes,
        {{ quantile('first_response_minutes', 0.9) }} as p90_minutes,
        {{ quantile('first_response_business_minutes', 0.5) }} as median_business_minutes,
        {{ quantile('first_response_business_minutes', 0.9) }} as p90_business_minutes
    from periods
    group by period_grain, period_start, dimension, dimension_value

),

final as (

    select
        counted.period_grain,
        counted.period_start,
        counted.dimension,
        counted.dimension_value,
        counted.tickets,
        counted.answered,
        counted.resolved,
        {% for name in ['median', 'p90'] -%}
            {%- for unit in ['minutes', 'business_minutes'] -%}
                case
                    when counted.answered >= {{ rule('service.minimum_tickets') }}
                        then cast(round(counted.{{ name }}_{{ unit }}, 1) as decimal(12, 1))
                end as {{ name }}_first_response_{{ unit }},
            {% endfor -%}
        {% endfor -%}
        counted.judged as sla_tickets,
        {{ share('counted.within_sla', 'counted.judged', rule('service.minimum_tickets')) }} as sla_share,
        {{ share('counted.reopened', 'counted.once_resolved', rule('service.minimum_tickets')) }} as reopened_share,
        counted.complaints,
        coalesce(orders.orders, 0) as orders,
        case
            when orders.orders >= {{ rule('service.minimum_tickets') }}
                then cast(round(100 * counted.complaints / cast(orders.orders as double), 2) as decimal(12, 2))
        end as complaint_rate
    from counted
    left join orders
        on
            counted.period_grain = orders.period_grain
            and counted.period_start is not distinct from orders.period_start

)

select * from final
