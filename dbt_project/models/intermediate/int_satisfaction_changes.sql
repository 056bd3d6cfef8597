-- What a customer who buys regularly without discounts has said, on every day on which it changed: the latest scores
-- within the window of the rules, and whether a complaint was open.
with

signs as (

    select * from {{ ref('int_satisfaction_signs') }}

),

points as (

    select customer_id, day, kind, score, more_complaints from signs

    union all

    -- When it was too long ago.
    select customer_id, {{ days_after('day', rule('lifecycle.satisfaction_days')) }}, 'nothing', null, 0
    from signs
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
