{# Does a segment have to hold for some days before it counts? One that counts on its first day need not. #}
{% macro rfm_is_damped() -%}
    {{ return(rule('rfm.damping_days') > 1) }}
{%- endmacro %}

{# The first of the days that damping looks at: a month end, because from a day that moves on with the as-of date
   somebody who never holds a segment would be judged anew every day. #}
{% macro rfm_damping_start() -%}
    cast(
        cast(date_trunc('month', {{ days_before(as_of_date(), rule('rfm.damping_lookback_days') - 1) }}) as date)
        - interval '1' day as date
    )
{%- endmacro %}

{# The day from which a purchase no longer counts as it did: its worth changed, or it left the window. #}
{% macro rfm_counts_until(order_date, to_date) -%}
    {%- if rule('rfm.window_days') -%}
        {%- set leaves = days_after(order_date, rule('rfm.window_days')) -%}
        least(coalesce({{ to_date }}, {{ leaves }}), {{ leaves }})
    {%- else -%}
        {{ to_date }}
    {%- endif -%}
{%- endmacro %}
