-- What the members of each campaign are sent, step by step. Days count from the first step, with which people enter.
with

steps as (

    {% for step in var('campaign_steps') %}
        select
            '{{ step.audience }}' as audience,
            {{ step.step }} as step,
            {{ step.day }} as day,
            '{{ step.channel }}' as channel,
            {{ "'" ~ step.template ~ "'" if step.template else 'cast(null as varchar)' }} as template,
            '{{ step.exit }}' as leaves_when
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    audience,
    step,
    coalesce(lag(step) over (partition by audience order by step), 0) as step_before,
    day - min(day) over (partition by audience) as days_after,
    channel,
    template,
    leaves_when
from steps
