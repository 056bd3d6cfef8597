{# Which group an answer to the NPS question puts somebody in. #}
{% macro nps_group(kind, score) -%}
    case
        when {{ kind }} <> 'nps' or {{ score }} is null then null
        when {{ score }} >= 9 then 'promoter'
        when {{ score }} >= 7 then 'passive'
        else 'detractor'
    end
{%- endmacro %}

{# What counts of one kind of question, in every period: once for everybody and once for each rung, segment and
   touchpoint that it belongs to. #}
{% macro feedback_slices(kind) -%}
    {%- for dimension, value, of_customer in [
        ('all', "'all'", none),
        ('rung', 'lifecycle.rung_name', ('customer_lifecycle', 'lifecycle')),
        ('segment', 'rfm.segment', ('customer_rfm', 'rfm')),
        ('touchpoint', 'feedback.touchpoint', none),
    ] %}
    select
        feedback.period_grain,
        feedback.period_start,
        '{{ dimension }}' as dimension,
        {{ value }} as dimension_value,
        feedback.role,
        feedback.score
    from {{ ref('int_feedback_periods') }} as feedback
    {%- if of_customer %}
    inner join {{ ref(of_customer[0]) }} as {{ of_customer[1] }} on feedback.customer_id = {{ of_customer[1] }}.customer_id
    {%- endif %}
    where feedback.kind = '{{ kind }}' and {{ value }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
