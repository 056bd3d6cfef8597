-- The 20/40/60/80 % quantiles (linear interpolation, R's type 7) that part the five scores.
-- Taken over doubles: on decimals the engine would round a cut point to cents. Kept with three decimals: a fifth of
-- the way between two amounts in cents has no more, so that this takes away what the doubles added, and a value that
-- lies exactly on a cut point is on it.
with

final as (

    {% for metric in ['recency_days', 'frequency', 'monetary'] %}
        select
            '{{ metric }}' as metric,
            {% for share in [0.2, 0.4, 0.6, 0.8] %}
                cast(percentile_cont({{ share }}) within group (order by cast({{ metric }} as double)) as decimal(21, 3))
                    as cut_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_rfm_values') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
