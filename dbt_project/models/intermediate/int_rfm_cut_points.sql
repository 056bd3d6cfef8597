-- The cut points of an evaluation day in one row, each as scores are made with it.
with

final as (

    select
        {% for metric in ['recency_days', 'frequency', 'monetary'] %}
            {% for number in [1, 2, 3, 4] %}
                max(case when metric = '{{ metric }}' then {{ rfm_cut_point('cut_' ~ number) }} end)
                    as {{ metric }}_cut_{{ number }},
            {% endfor %}
        {% endfor %}
        evaluation_date
    from {{ ref('int_rfm_cuts') }}
    group by evaluation_date

)

select * from final
