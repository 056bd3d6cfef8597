-- Everybody who belongs to an audience by its rule, whether or not they may be written to.
{% for audience in var('audiences') %}
    select
        cast(rows.audience as varchar) as audience,
        '{{ audience.channel }}' as channel,
        rows.customer_id,
        rows.why,
        rows.entry_key
    from {{ ref(audience.model) }} as rows
    {{ 'union all' if not loop.last }}
{% endfor %}
