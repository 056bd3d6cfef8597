-- When each record was first and last seen in an event.
with

final as (

    select
        source,
        contact_id,
        min(occurred_at) as first_visit_at,
        max(occurred_at) as last_visit_at
    from {{ ref('stg_events') }}
    where contact_id is not null
    group by source, contact_id

)

select * from final
