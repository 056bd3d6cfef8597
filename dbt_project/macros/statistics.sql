{# How many of the rows are so. #}
{% macro count_where(condition) -%}
    cast(sum(case when {{ condition }} then 1 else 0 end) as integer)
{%- endmacro %}

{# A rate (0-1), or a difference of two, as it is shown: with four decimals. #}
{% macro rate(value) -%}
    cast(round({{ value }}, 4) as decimal(6, 4))
{%- endmacro %}

{# A share as it is shown; empty of nothing, and of fewer than the minimum. #}
{% macro share(part, whole, minimum=1) -%}
    case when {{ whole }} >= {{ minimum }} then {{ rate(part ~ ' / cast(' ~ whole ~ ' as double)') }} end
{%- endmacro %}

{# The 97.5 % point of the standard normal distribution. #}
{% macro z_95() -%}
    1.959964
{%- endmacro %}

{# An end of the 95 % Wilson interval of a share: `sign` is - or +. It never leaves 0-1 and is not empty when all or none
   are, as the normal one would be. #}
{% macro wilson(part, whole, sign) -%}
    (({{ part }} + power({{ z_95() }}, 2) / 2 {{ sign }} {{ z_95() }} * sqrt(
        cast({{ part }} as double) * ({{ whole }} - {{ part }}) / cast(nullif({{ whole }}, 0) as double) + power({{ z_95() }}, 2) / 4
    )) / ({{ whole }} + power({{ z_95() }}, 2)))
{%- endmacro %}

{# The 97.5 % point of Student's t: Fisher's expansion around the normal one (Abramowitz and Stegun, 26.7.5), which is
   within half a percent from 4 degrees of freedom on. #}
{% macro t_95(degrees) -%}
    {%- set z = z_95() -%}
    ({{ z }}
        + (power({{ z }}, 3) + {{ z }}) / (4 * {{ degrees }})
        + (5 * power({{ z }}, 5) + 16 * power({{ z }}, 3) + 3 * {{ z }}) / (96 * power({{ degrees }}, 2))
        + (3 * power({{ z }}, 7) + 19 * power({{ z }}, 5) + 17 * power({{ z }}, 3) - 15 * {{ z }})
        / (384 * power({{ degrees }}, 3))
        + (79 * power({{ z }}, 9) + 776 * power({{ z }}, 7) + 1482 * power({{ z }}, 5) - 1920 * power({{ z }}, 3) - 945 * {{ z }})
        / (92160 * power({{ degrees }}, 4)))
{%- endmacro %}

{# The median of a value over this row and all before it, as a window orders them. #}
{% macro median_so_far(value, partition_by, order_by) -%}
    {{ return(adapter.dispatch('median_so_far')(value, partition_by, order_by)) }}
{%- endmacro %}

{% macro default__median_so_far(value, partition_by, order_by) -%}
    {%- set values -%}
        array_sort(collect_list(cast({{ value }} as double)) over (
            partition by {{ partition_by }} order by {{ order_by }}
            rows between unbounded preceding and current row
        ))
    {%- endset -%}
    (try_element_at({{ values }}, cast(floor((size({{ values }}) + 1) / 2) as int))
    + try_element_at({{ values }}, cast(floor((size({{ values }}) + 2) / 2) as int))) / 2
{%- endmacro %}

{% macro duckdb__median_so_far(value, partition_by, order_by) -%}
    median(cast({{ value }} as double)) over (
        partition by {{ partition_by }} order by {{ order_by }}
        rows between unbounded preceding and current row
    )
{%- endmacro %}
