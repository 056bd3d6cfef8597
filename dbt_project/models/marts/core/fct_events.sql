{{ config(materialized='view') }}

with

final as (

    select
        events.event_id,
        events.source,
        identities.customer_id,
        events.occurred_at,
        events.event_date,
        events.event_type,
        events.session_id,
        events.product_id,
        events.cart_id,
        events.channel
    from {{ ref('stg_events') }} as events
    left join {{ ref('int_customer_identities') }} as identities
        on
            events.source = identities.source
            and events.contact_id = identities.contact_id

)

select * from final
