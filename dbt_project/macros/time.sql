{# The only "now" of every model: the day that is computed. #}
{% macro as_of_date() -%}
    cast('{{ var("as_of_date") }}' as date)
{%- endmacro %}

{# Is an instant (UTC) known at the as-of date: does it lie before the end of that day, as the business counts days? #}
{% macro is_known(instant) -%}
    {{ instant }} < cast('{{ var("as_of_end_utc") }}' as timestamp)
{%- endmacro %}

{# The business's calendar day of an instant (UTC). #}
{% macro local_date(instant) -%}
    {{ return(adapter.dispatch('local_date')(instant)) }}
{%- endmacro %}

{% macro default__local_date(instant) -%}
    cast(from_utc_timestamp({{ instant }}, '{{ var("time_zone") }}') as date)
{%- endmacro %}

{% macro duckdb__local_date(instant) -%}
    cast(timezone('{{ var("time_zone") }}', timezone('UTC', {{ instant }})) as date)
{%- endmacro %}

{# Whole calendar days from one date to another. #}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    datediff({{ later }}, {{ earlier }})
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    cast({{ later }} - {{ earlier }} as integer)
{%- endmacro %}

{# Whole calendar months from one date to another. #}
{% macro months_between(earlier, later) -%}
    cast((extract(year from {{ later }}) - extract(year from {{ earlier }})) * 12
        + extract(month from {{ later }}) - extract(month from {{ earlier }}) as integer)
{%- endmacro %}

{# The day that lies a number of days before another. #}
{% macro days_before(day, number) -%}
    cast({{ day }} - interval '{{ number }}' day as date)
{%- endmacro %}

{# The last month end before the as-of date. #}
{% macro last_month_end() -%}
    {{ days_before("cast(date_trunc('month', " ~ as_of_date() ~ ") as date)", 1) }}
{%- endmacro %}

{# The day that lies a number of days after another. #}
{% macro days_after(day, number) -%}
    {{ return(adapter.dispatch('days_after')(day, number)) }}
{%- endmacro %}

{% macro default__days_after(day, number) -%}
    date_add({{ day }}, {{ number }})
{%- endmacro %}

{% macro duckdb__days_after(day, number) -%}
    {{ day }} + cast({{ number }} as integer)
{%- endmacro %}

{# An instant (UTC) as a clock shows it where the business is. #}
{% macro local_time(instant) -%}
    {{ return(adapter.dispatch('local_time')(instant)) }}
{%- endmacro %}

{% macro default__local_time(instant) -%}
    from_utc_timestamp({{ instant }}, '{{ var("time_zone") }}')
{%- endmacro %}

{% macro duckdb__local_time(instant) -%}
    timezone('{{ var("time_zone") }}', timezone('UTC', {{ instant }}))
{%- endmacro %}

{# Does a day lie within the last rules.economics.window_days? #}
{% macro is_in_window(day) -%}
    {{ day }} > {{ days_before(as_of_date(), rule('economics.window_days')) }}
{%- endmacro %}

{# The instant (UTC) at which the as-of date ends, as the business counts days. #}
{% macro as_of_end() -%}
    cast('{{ var("as_of_end_utc") }}' as timestamp)
{%- endmacro %}

{# The instant (UTC) at which the business's clock shows a time. #}
{% macro utc_instant(local_time) -%}
    {{ return(adapter.dispatch('utc_instant')(local_time)) }}
{%- endmacro %}

{% macro default__utc_instant(local_time) -%}
    to_utc_timestamp({{ local_time }}, '{{ var("time_zone") }}')
{%- endmacro %}

{% macro duckdb__utc_instant(local_time) -%}
    timezone('UTC', timezone('{{ var("time_zone") }}', {{ local_time }}))
{%- endmacro %}

{# Did an instant (UTC) come after a day, as the business counts days? The instant is left as it is, so that days that lie
   outside need not be read. #}
{% macro is_after(instant, day) -%}
    {{ instant }} >= {{ utc_instant("cast(" ~ day ~ " + interval '1' day as timestamp)") }}
{%- endmacro %}

{# Whole seconds from one instant to another. #}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    timestampdiff(second, {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    date_sub('second', {{ earlier }}, {{ later }})
{%- endmacro %}

{# Whole minutes of a number of seconds that is not below zero. #}
{% macro whole_minutes(seconds) -%}
    cast(floor({{ seconds }} / cast(60 as double)) as integer)
{%- endmacro %}

{# 1 (Monday) to 7 (Sunday). #}
{% macro weekday(day) -%}
    {{ return(adapter.dispatch('weekday')(day)) }}
{%- endmacro %}

{% macro default__weekday(day) -%}
    cast(weekday({{ day }}) + 1 as tinyint)
{%- endmacro %}

{% macro duckdb__weekday(day) -%}
    cast(isodow({{ day }}) as tinyint)
{%- endmacro %}

{# The calendar day of an instant (UTC) in a time zone, which may be a column. #}
{% macro date_in_zone(instant, time_zone) -%}
    {{ return(adapter.dispatch('date_in_zone')(instant, time_zone)) }}
{%- endmacro %}

{% macro default__date_in_zone(instant, time_zone) -%}
    cast(from_utc_timestamp({{ instant }}, {{ time_zone }}) as date)
{%- endmacro %}

{% macro duckdb__date_in_zone(instant, time_zone) -%}
    cast(timezone({{ time_zone }}, timezone('UTC', {{ instant }})) as date)
{%- endmacro %}

{# The first day of a day's month, and of a month so many before it. #}
{% macro month_of(day, months_before=0) -%}
    cast(date_trunc('month', {{ day }}) - interval '{{ months_before }}' month as date)
{%- endmacro %}

{# The birthday that comes after the as-of date. 29 February is the 28th in years that have none: adding whole years says
   so. A birth in or before the rules' first year is a form's default, and no birthday follows from one in the future. #}
{% macro next_birthday(birth_date) -%}
    case
        when
            extract(year from {{ birth_date }}) < {{ rule('audiences.first_birth_year') }}
            or {{ birth_date }} > {{ as_of_date() }} then null
        when {{ birthday_in_year_of(birth_date, 0) }} > {{ as_of_date() }} then {{ birthday_in_year_of(birth_date, 0) }}
        else {{ birthday_in_year_of(birth_date, 1) }}
    end
{%- endmacro %}

{# The birthday in the as-of date's year, or so many years later. #}
{% macro birthday_in_year_of(birth_date, later) -%}
    cast({{ add_months(birth_date, '12 * cast(extract(year from ' ~ as_of_date() ~ ') - extract(year from ' ~ birth_date ~ ') + ' ~ later ~ ' as integer)') }} as date)
{%- endmacro %}

{# A date so many months later; the last day of the month where that has fewer days. #}
{% macro add_months(day, number) -%}
    {{ return(adapter.dispatch('add_months')(day, number)) }}
{%- endmacro %}

{% macro default__add_months(day, number) -%}
    add_months({{ day }}, {{ number }})
{%- endmacro %}

{% macro duckdb__add_months(day, number) -%}
    {{ day }} + to_months({{ number }})
{%- endmacro %}
