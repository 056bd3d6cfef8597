{# A number of days in words: "1 day", "12 days". #}
{% macro days_in_words(number) -%}
    cast({{ number }} as varchar) || case when {{ number }} = 1 then ' day' else ' days' end
{%- endmacro %}

{# A name as part of an audience's name: small letters, digits and underscores. #}
{% macro slug(text) -%}
    trim(regexp_replace(replace(lower({{ text }}), '''', ''), '[^a-z0-9]+', '_', 'g'), '_')
{%- endmacro %}

{# The name before the @ of an address, without a tag after a plus: info of info+news@example.com. #}
{% macro role_of(email) -%}
    split_part(split_part({{ email }}, '@', 1), '+', 1)
{%- endmacro %}
