{#
    Of the rows that share a key, the one that landed last: a later day, then a later place in the files. None, when
    that one says that its source has deleted it. To look for them costs more than all else; where landing knows that no
    key of the entity has landed twice, there are none.
#}
{% macro keep_latest(key, first_by=none, entity=none) -%}
    {% if entity in var('unrepeated', []) -%}
    where not coalesce(_is_deleted, false)
    {%- else -%}
    qualify row_number() over (
        partition by {{ key }}
        order by {% if first_by %}{{ first_by }} desc, {% endif %}_ds desc, _file desc, _line desc, _source desc
    ) = 1
    and not coalesce(_is_deleted, false)
    {%- endif %}
{%- endmacro %}

{# How staging keeps an entity: where there is nothing to sort out, the landing is read where it lies. #}
{% macro kept_as(entity) -%}
    {{ return('view' if entity in var('unrepeated', []) else 'table') }}
{%- endmacro %}

{# The id of somebody: their own, or one made from the address when the source knows no id. #}
{% macro person_id(contact_id, email) -%}
    coalesce({{ contact_id }}, 'email:' || {{ sha256(email) }})
{%- endmacro %}

{% macro sha256(text) -%}
    {{ return(adapter.dispatch('sha256')(text)) }}
{%- endmacro %}

{% macro default__sha256(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}

{% macro duckdb__sha256(text) -%}
    sha256({{ text }})
{%- endmacro %}

{# A row for each part of a text, which one character separates. #}
{% macro each_part(text, separator) -%}
    {{ return(adapter.dispatch('each_part')(text, separator)) }}
{%- endmacro %}

{% macro default__each_part(text, separator) -%}
    explode(split({{ text }}, '[{{ separator }}]'))
{%- endmacro %}

{% macro duckdb__each_part(text, separator) -%}
    unnest(string_split({{ text }}, '{{ separator }}'))
{%- endmacro %}
