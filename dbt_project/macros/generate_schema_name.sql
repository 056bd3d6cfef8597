{# Schemas are Tangga's fixed names, without the target's prefix: analysts write `customer.customer_rfm`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
