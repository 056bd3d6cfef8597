{{ config(materialized='view') }}

with

final as (

    select
        messages.message_id,
        messages.source,
        identities.customer_id,
        messages.channel,
        messages.event,
        messages.occurred_at,
        messages.message_date,
        messages.campaign,
        messages.audience
    from {{ ref('stg_messages') }} as messages
    left join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id

)

select * from final
