-- Scores and segment by the values of each evaluation day alone; every day is judged by its own cut points.
{{ config(materialized='view') }}

with

recency_cuts as (

    select * from {{ ref('int_rfm_cuts') }}
    where metric = 'recency_days'

),

frequency_cuts as (

    select * from {{ ref('int_rfm_cuts') }}
    where metric = 'frequency'

),

monetary_cuts as (

    select * from {{ ref('int_rfm_cuts') }}
    where metric = 'monetary'

),

scored as (

    select
        rfm.customer_id,
        rfm.evaluation_date,
        rfm.recency_days,
        rfm.frequency,
        rfm.monetary,
        {{ rfm_score('rfm.recency_days', 'recency', 'recency_cuts') }} as r_score,
        {{ rfm_score('rfm.frequency', 'frequency', 'frequency_cuts') }} as f_score,
        {{ rfm_score('rfm.monetary', 'monetary', 'monetary_cuts') }} as m_score
    from {{ ref('int_rfm_values') }} as rfm
    inner join recency_cuts on rfm.evaluation_date = recency_cuts.evaluation_date
    inner join frequency_cuts on rfm.evaluation_date = frequency_cuts.evaluation_date
    inner join monetary_cuts on rfm.evaluation_date = monetary_cuts.evaluation_date

),

final as (

    select
        scored.customer_id,
        scored.evaluation_date,
        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.r_score,
        scored.f_score,
        scored.m_score,
        segments.segment
    from scored
    left join {{ ref('int_rfm_segment_map') }} as segments
        on
            segments.scheme = '{{ rule("rfm.scheme") }}'
            and scored.r_score = segments.r
            and scored.f_score = segments.f
            and scored.m_score = segments.m

)

select * from final
