-- The fixed lower bounds of the scores: for each metric the company's own where it names some, Tangga's otherwise.
with

own as (

    select metric, score, lower_bound from {{ source('reference', 'rfm_cutoffs') }}

),

final as (

    select metric, score, lower_bound from own

    union all

    select metric, score, lower_bound from {{ ref('rfm_cutoffs') }}
    where metric not in (select own.metric from own)

)

select * from final
