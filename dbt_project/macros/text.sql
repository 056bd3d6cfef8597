{# A number of days in words: "1 day", "12 days". #}
{% macro days_in_words(number) -%}
    cast({{ number }} as varchar) || case when {{ number }} = 1 then ' day' else ' days' end
{%- endmacro %}

{# How long ago something was: "today", "1 day ago", "12 days ago". #}
{% macro days_ago(number) -%}
    case when {{ number }} = 0 then 'today' else {{ days_in_words(number) }} || ' ago' end
{%- endmacro %}

{# A usual gap, to half a day as a median is, so that what is said of it can be checked: "1 day", "30.5 days". #}
{% macro gap_in_words(gap) -%}
    regexp_replace(cast(round({{ gap }}, 1) as varchar), '[.]0$', '')
    || case when round({{ gap }}, 1) = 1 then ' day' else ' days' end
{%- endmacro %}

{# How many of something: "1 purchase", "12 purchases". #}
{% macro counted(number, noun) -%}
    cast({{ number }} as varchar) || case when {{ number }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end
{%- endmacro %}

{# What part of something another is: "78 %"; rounded down, so that nothing looks sufficient that is not. #}
{% macro percent_in_words(part, whole) -%}
    cast(cast(floor(100 * {{ part }} / ({{ whole }})) as bigint) as varchar) || ' %'
{%- endmacro %}

{# An amount of the business's currency: "IDR 2,828,750", "GBP 1,500.50". #}
{% macro money_in_words(amount) -%}
    '{{ var("currency") }} ' || regexp_replace({{ grouped(amount) }}, '[.]00$', '')
{%- endmacro %}

{# A number with its thousands apart and two decimals. #}
{% macro grouped(number) -%}
    {{ return(adapter.dispatch('grouped')(number)) }}
{%- endmacro %}

{% macro default__grouped(number) -%}
    format_number({{ number }}, 2)
{%- endmacro %}

{% macro duckdb__grouped(number) -%}
    format('{:,.2f}', {{ number }})
{%- endmacro %}

{# A name as part of an audience's name: small letters, digits and underscores. #}
{% macro slug(text) -%}
    trim(regexp_replace(replace(lower({{ text }}), '''', ''), '[^a-z0-9]+', '_', 'g'), '_')
{%- endmacro %}

{# The name before the @ of an address, without a tag after a plus: info of info+news@example.com. #}
{% macro role_of(email) -%}
    split_part(split_part({{ email }}, '@', 1), '+', 1)
{%- endmacro %}
