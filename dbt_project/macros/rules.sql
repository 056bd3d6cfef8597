{# A business rule from `rules:` in tangga.yml, by its path: rule('lifecycle.engaged_days'). #}
{% macro rule(path) -%}
    {%- set found = namespace(value=var('rules')) -%}
    {%- for part in path.split('.') -%}
        {%- if part not in found.value -%}
            {{ exceptions.raise_compiler_error("There is no rule '" ~ path ~ "'; rules are declared in plugins/tangga/settings/rules/") }}
        {%- endif -%}
        {%- set found.value = found.value[part] -%}
    {%- endfor -%}
    {{ return(found.value) }}
{%- endmacro %}

{# Whether a yes was given as `rules.consent.double_opt_in_channels` asks for. #}
{% macro is_confirmed(channel, method) -%}
    {%- set channels = rule('consent.double_opt_in_channels') -%}
    {%- if channels -%}
        ({{ channel }} not in ('{{ channels | join("', '") }}') or coalesce({{ method }} = 'double_opt_in', false))
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
