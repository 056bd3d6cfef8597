-- What parts the five scores on each evaluation day: the 20/40/60/80 % quantiles (linear interpolation, R's type 7), or
-- the fixed lower bounds, which are the same on all days.
with

{% if rule('rfm.binning') == 'fixed' %}

    bounds as (

        select
            case metric when 'recency' then 'recency_days' else metric end as metric,
            cast(lower_bound as decimal(21, 3)) as cut,
            row_number() over (partition by metric order by lower_bound, score) - 1 as number
        from {{ ref('int_rfm_cutoffs') }}

    ),

    final as (

        select
            days.evaluation_date,
            bounds.metric,
            {% for number in [1, 2, 3, 4] %}
                max(case when bounds.number = {{ number }} then bounds.cut end) as cut_{{ number }}
                {{- ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_rfm_days') }} as days
        cross join bounds
        group by days.evaluation_date, bounds.metric

    )

{% else %}

    quantiles as (

        {% for metric in ['recency_days', 'frequency', 'monetary'] %}
            select evaluation_date, '{{ metric }}' as metric, {{ cut_points(metric) }} as points
            from {{ ref('int_rfm_values') }}
            group by evaluation_date
            {{ 'union all' if not loop.last }}
        {% endfor %}

    ),

    final as (

        select
            evaluation_date,
            metric,
            {{ cut_point('points', 1) }} as cut_1,
            {{ cut_point('points', 2) }} as cut_2,
            {{ cut_point('points', 3) }} as cut_3,
            {{ cut_point('points', 4) }} as cut_4
        from quantiles

    )

{% endif %}

select * from final
