-- The customer that each record belongs to, also of records that are not seen today: they have their id when they come
-- back, or the one that stands for it by then.
with

identities as (

    select * from {{ ref('int_customer_identities') }}

),

final as (

    select source, contact_id, customer_id from identities

    union all

    select
        known.source,
        known.contact_id,
        coalesce(ids.into_customer_id, known.customer_id) as customer_id
    from {{ source('registry', 'records') }} as known
    left join identities
        on
            known.source = identities.source
            and known.contact_id = identities.contact_id
    left join {{ ref('int_customer_ids') }} as ids on known.customer_id = ids.customer_id
    where identities.customer_id is null

)

select * from final
