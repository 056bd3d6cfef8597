-- The audiences whose members are sent messages, as the registry has them.
{% for audience in var('audiences') | selectattr('kind', 'equalto', 'campaign') %}
    select
        '{{ audience.name }}' as audience,
        {{ audience.priority }} as priority,
        {{ audience.cooldown_days }} as cooldown_days,
        '{{ audience.holdout_salt }}' as holdout_salt,
        '{{ audience.holdout_below }}' as holdout_below
    {{ 'union all' if not loop.last }}
{% endfor %}
