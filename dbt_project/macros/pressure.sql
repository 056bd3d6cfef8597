{# The instant (UTC) at which the lists of a day are taken to be sent: on the next, as the business's clock shows it. #}
{% macro send_instant(day) -%}
    {{ utc_instant(
        "cast(" ~ day ~ " as timestamp) + interval '1' day + interval '" ~ rule('pressure.sent_at_hour') ~ "' hour"
    ) }}
{%- endmacro %}

{# The business's day on which the lists of the as-of date are sent. #}
{% macro send_date() -%}
    cast({{ as_of_date() }} + interval '1' day as date)
{%- endmacro %}

{# Is nothing sent on that day? #}
{% macro is_quiet_day() -%}
    {%- set weekdays = rule('pressure.quiet_weekdays') -%}
    {%- set dates = rule('pressure.quiet_dates') -%}
    ({% if weekdays %}{{ weekday(send_date()) }} in ({{ weekdays | join(', ') }}){% else %}false{% endif %}
    or {% if dates %}{{ send_date() }} in (
        {%- for day in dates %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% endfor -%}
    ){% else %}false{% endif %})
{%- endmacro %}

{# The most messages within the window on a channel. #}
{% macro cap_of(channel) -%}
    case {{ channel }}
        {%- for name, cap in rule('caps').items() %} when '{{ name }}' then {{ cap }}{% endfor %} end
{%- endmacro %}

{# A number that is the same for a customer and a text on every day and every engine, as eight hexadecimal digits: texts
   of one length are in the order of their numbers. #}
{% macro draw(text) -%}
    substr({{ sha256(text) }}, 1, 8)
{%- endmacro %}
