{# Why a customer moved from one segment to another: which scores changed, and at which cut points. #}

{# Does a value pass a cut point of `int_rfm_cut_points`? As in `rfm_score`. #}
{% macro rfm_passes(value, cut) -%}
    {{ value }} {{ '>' if rule('rfm.binning') == 'quantile' else '>=' }} {{ cut }}
{%- endmacro %}

{# A cut point as scores are made with it: like the R package `rfm` does it, one above the quantile. #}
{% macro rfm_cut_point(cut) -%}
    {{ cut }}{{ ' + 1' if rule('rfm.binning') == 'r_rfm' }}
{%- endmacro %}

{# How many of the four cut points of a day a value passes. #}
{% macro rfm_cuts_passed(value, cuts) -%}
    ({% for number in [1, 2, 3, 4] -%}
        {{ ' + ' if not loop.first }}case when {{ rfm_passes(value, cuts ~ '_cut_' ~ number) }} then 1 else 0 end
    {%- endfor %})
{%- endmacro %}

{# A value before (`was`) and after (`now`), its scores, and the cut point between: the highest that it passes now when
   it has passed more of them, or the lowest that it does not when fewer; as that one was then and is now. #}
{% macro rfm_compared(metric, score) -%}
    {%- set passed_then = rfm_cuts_passed('was.' ~ metric, 'cuts_then.' ~ metric) -%}
    {%- set passed_now = rfm_cuts_passed('now.' ~ metric, 'cuts_now.' ~ metric) -%}
    was.{{ metric }} as {{ metric }}_was,
    now.{{ metric }} as {{ metric }}_now,
    was.{{ score }} as {{ metric }}_score_was,
    now.{{ score }} as {{ metric }}_score_now,
    {{ passed_now }} > {{ passed_then }} as {{ metric }}_passed
    {%- for side in ['then', 'now'] %},
    case {{ passed_now }} + case when {{ passed_now }} > {{ passed_then }} then 0 else 1 end
        {% for number in [1, 2, 3, 4] -%}
            when {{ number }} then cuts_{{ side }}.{{ metric }}_cut_{{ number }}
        {% endfor %}
    end as {{ metric }}_cut_{{ side }}
    {%- endfor %}
{%- endmacro %}

{# Would the value of now have crossed the cut point had that stayed where it was? #}
{% macro rfm_crossed_by_itself(metric) -%}
    ({{ rfm_passes(metric ~ '_now', metric ~ '_cut_then') }}) = {{ metric }}_passed
{%- endmacro %}

{# Would the cut point have crossed the value had that stayed what it was? #}
{% macro rfm_crossed_by_cut(metric) -%}
    ({{ rfm_passes(metric ~ '_was', metric ~ '_cut_now') }}) = {{ metric }}_passed
{%- endmacro %}

{# Whose doing the move was: the customer's, the cut points', or both. #}
{% macro rfm_move_cause() -%}
    {%- set own, cut = [], [] -%}
    {%- for metric in ['recency_days', 'frequency', 'monetary'] -%}
        {%- set same = metric ~ '_score_was = ' ~ metric ~ '_score_now' -%}
        {%- do own.append('(' ~ same ~ ' or ' ~ rfm_crossed_by_itself(metric) ~ ')') -%}
        {%- do cut.append('(' ~ same ~ ' or (not ' ~ rfm_crossed_by_itself(metric) ~ ' and ' ~ rfm_crossed_by_cut(metric) ~ '))') -%}
    {%- endfor -%}
    case
        when from_segment is null or to_segment is null then 'customer'
        when {{ own | join(' and ') }} then 'customer'
        when {{ cut | join(' and ') }} then 'cut points'
        else 'both'
    end
{%- endmacro %}

{# A number without the zeros that say nothing: 38.4 for 38.400, 4 for 4.000. #}
{% macro plain_number(value) -%}
    rtrim(rtrim(cast({{ value }} as varchar), '0'), '.')
{%- endmacro %}

{# The values in words. #}
{% macro rfm_in_words(metric, value) -%}
    {%- if metric == 'recency_days' -%}
        'last bought ' || {{ days_in_words(value) }} || ' ago'
    {%- elif metric == 'frequency' -%}
        'made ' || cast({{ value }} as varchar) || case when {{ value }} = 1 then ' purchase' else ' purchases' end
    {%- else -%}
        'spent ' || cast({{ value }} as varchar)
    {%- endif -%}
{%- endmacro %}

{# Why a score changed; empty when it did not. `last bought` tells by itself that days went by: of it no before. #}
{% macro rfm_score_change(metric) -%}
    {%- set was, now = metric ~ '_was', metric ~ '_now' -%}
    {%- set cut_then, cut_now, passed = metric ~ '_cut_then', metric ~ '_cut_now', metric ~ '_passed' -%}
    {%- set unit = " || ' days'" if metric == 'recency_days' -%}
    {%- set over = 'past' if metric == 'recency_days' else 'above' -%}
    {%- set closed_right = rule('rfm.binning') == 'quantile' -%}
    case
        when {{ metric }}_score_was = {{ metric }}_score_now then null
        else
            '{{ metric[0] | upper }} ' || case when {{ metric }}_score_now > {{ metric }}_score_was then 'rose' else 'fell' end
            || ' from ' || cast({{ metric }}_score_was as varchar) || ' to ' || cast({{ metric }}_score_now as varchar)
            || case
                when {{ was }} = {{ now }}
                    then ' though they ' || {{ rfm_in_words(metric, now) }} || ' as before: '
                else
                    ': ' || {{ rfm_in_words(metric, now) }}
                    {%- if metric != 'recency_days' %} || ' (' || cast({{ was }} as varchar) || ' before)'{% endif %}
                    || case
                        when {{ rfm_crossed_by_itself(metric) }} then ', '
                        when ({{ now }} > {{ was }}) = {{ passed }} then ', and '
                        else ', but '
                    end
            end
            || case
                when {{ rfm_crossed_by_itself(metric) }}
                    then case
                        when {{ passed }} then '{{ over if closed_right else "at or " ~ over }}'
                        else '{{ "not " ~ over if closed_right else "below" }}'
                    end || ' the cut point of '
                else
                    'the cut point ' || case when {{ cut_now }} > {{ cut_then }} then 'rose' else 'fell' end
                    || ' from ' || {{ plain_number(cut_then) }} || ' to '
            end
            || {{ plain_number(cut_now) }}{{ unit }}
    end
{%- endmacro %}

{# One sentence for a move. #}
{% macro rfm_move_reason() -%}
    case
        when from_segment is null
            then case when was_there_before then 'came back: ' else 'came in: ' end
                || {{ rfm_in_words('recency_days', 'recency_days_now') }} || ' (R ' || cast(recency_days_score_now as varchar) || '), '
                || {{ rfm_in_words('frequency', 'frequency_now') }} || ' (F ' || cast(frequency_score_now as varchar) || '), '
                || {{ rfm_in_words('monetary', 'monetary_now') }} || ' (M ' || cast(monetary_score_now as varchar) || ')'
        {% if rule('rfm.window_days') %}
            when
                to_segment is null
                and recency_days_was + {{ days_between('from_date', 'to_date') }} >= {{ rule('rfm.window_days') }}
                then 'left the window of ' || {{ days_in_words(rule('rfm.window_days')) }} || ': last bought '
                    || {{ days_in_words('(recency_days_was + ' ~ days_between('from_date', 'to_date') ~ ')') }} || ' ago'
        {% endif %}
        when to_segment is null
            then 'left: {{ 'what they bought was refunded, or lies outside the window' if rule('rfm.window_days') else 'all that they bought was refunded' }}'
        else
            concat_ws('; ', {{ rfm_score_change('recency_days') }},
                {{ rfm_score_change('frequency') }}, {{ rfm_score_change('monetary') }})
            {% if rfm_is_damped() -%}
                || case
                    when to_date > {{ rfm_damping_start() }}
                        then '; so for ' || {{ days_in_words(rule('rfm.damping_days')) }}
                    else ''
                end
            {%- endif %}
    end
{%- endmacro %}
