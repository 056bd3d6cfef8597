with

final as (

    select
        customer_id,
        as_of_date,
        recency_days,
        frequency,
        monetary,
        r_score,
        f_score,
        m_score,
        segment,
        segment_by_scores
    from {{ ref('customer_rfm_history') }}
    where as_of_date = {{ as_of_date() }}

)

select * from final
