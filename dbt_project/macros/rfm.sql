{# Score 1-5 of a value, by the binning of tangga.yml. `recency` counts days, where fewer is better.

   quantile  intervals closed on the right: 1 + the number of cut points below the value
   r_rfm     as the R package `rfm`: edges are quantile + 1, lower <= value < upper
   fixed     the score whose lower bound is the highest one not above the value (seed rfm_cutoffs)
#}
{% macro rfm_score(value, metric, cuts) -%}
    {%- set binning = rule('rfm.binning') -%}
    {%- if binning == 'fixed' -%}
        {%- set score -%}
            (select max_by(cutoffs.score, cutoffs.lower_bound)
            from {{ ref('int_rfm_cutoffs') }} as cutoffs
            where cutoffs.metric = '{{ metric }}' and cutoffs.lower_bound <= {{ value }})
        {%- endset -%}
    {%- else -%}
        {%- set score -%}
            1
            {%- for number in [1, 2, 3, 4] %}
            + case when {{ value }} {{ '>= 1 +' if binning == 'r_rfm' else '>' }} {{ cuts }}.cut_{{ number }} then 1 else 0 end
            {%- endfor %}
        {%- endset -%}
        {%- if metric == 'recency' -%}{%- set score = '6 - (' ~ score ~ ')' -%}{%- endif -%}
    {%- endif -%}
    cast({{ score }} as tinyint)
{%- endmacro %}

{# A cut point: taken over doubles, because on decimals the engine would round it to cents, and kept with three
   decimals, because a fifth of the way between two amounts in cents has no more: that takes away what the doubles
   added, so that a value which lies exactly on a cut point is on it. #}
{% macro quantile(value, share) -%}
    cast(percentile_cont({{ share }}) within group (order by cast({{ value }} as double)) as decimal(21, 3))
{%- endmacro %}

{# The four cut points of a group at once, which takes the engine a third of the time of one by one: as `quantile`. #}
{% macro cut_points(value) -%}
    {{ return(adapter.dispatch('cut_points')(value)) }}
{%- endmacro %}

{% macro default__cut_points(value) -%}
    percentile(cast({{ value }} as double), array(0.2, 0.4, 0.6, 0.8))
{%- endmacro %}

{% macro duckdb__cut_points(value) -%}
    quantile_cont(cast({{ value }} as double), [0.2, 0.4, 0.6, 0.8])
{%- endmacro %}

{# The first to fourth of them, with three decimals. #}
{% macro cut_point(points, number) -%}
    {{ return(adapter.dispatch('cut_point')(points, number)) }}
{%- endmacro %}

{% macro default__cut_point(points, number) -%}
    cast({{ points }}[{{ number - 1 }}] as decimal(21, 3))
{%- endmacro %}

{% macro duckdb__cut_point(points, number) -%}
    cast({{ points }}[{{ number }}] as decimal(21, 3))
{%- endmacro %}
