-- Every scheme's name for each of the 125 cells: Tangga's own and the company's.
with

final as (

    select scheme, r, f, m, segment from {{ ref('rfm_segments') }}

    union all

    select scheme, r, f, m, segment from {{ source('reference', 'rfm_segments') }}

)

select * from final
