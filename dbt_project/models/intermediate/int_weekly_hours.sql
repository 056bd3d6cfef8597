-- When the business is open on each weekday: by the company's own table where it has one, by Tangga's otherwise.
with

own as (

    select weekday, opens_at, closes_at from {{ source('reference', 'business_hours') }}

),

final as (

    select weekday, opens_at, closes_at from own

    union all

    select weekday, opens_at, closes_at from {{ ref('business_hours') }}
    where not exists (select 1 from own)

)

select * from final
