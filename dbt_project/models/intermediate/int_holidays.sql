-- The days on which the business is closed: the company's own where it names any, Tangga's otherwise.
with

own as (

    select date as holiday_date from {{ source('reference', 'holidays') }}

),

final as (

    select holiday_date from own

    union all

    select date as holiday_date from {{ ref('holidays') }}
    where not exists (select 1 from own)

)

select * from final
