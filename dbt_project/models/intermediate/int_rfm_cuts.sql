-- The 20/40/60/80 % quantiles (linear interpolation, R's type 7) that part the five scores.
-- Taken over doubles: on decimals the engine would round a cut point to cents.
with

final as (

    {% for metric in ['recency_days', 'frequency', 'monetary'] %}
        select
            '{{ metric }}' as metric,
            {% for share in [0.2, 0.4, 0.6, 0.8] %}
                percentile_cont({{ share }}) within group (order by cast({{ metric }} as double))
                    as cut_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_rfm_values') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
