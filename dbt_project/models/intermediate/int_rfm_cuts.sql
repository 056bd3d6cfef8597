-- The 20/40/60/80 % quantiles (linear interpolation, R's type 7) that part the five scores.
with

final as (

    {% for metric in ['recency_days', 'frequency', 'monetary'] %}
        select
            '{{ metric }}' as metric,
            {{ quantile(metric, 0.2) }} as cut_1,
            {{ quantile(metric, 0.4) }} as cut_2,
            {{ quantile(metric, 0.6) }} as cut_3,
            {{ quantile(metric, 0.8) }} as cut_4
        from {{ ref('int_rfm_values') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
