{{ config(materialized=kept_as('events')) }}

with

landed as (

    select *
    from {{ source('landing', 'events') }}
    where {{ is_known('occurred_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, event_id", entity='events') }}

),

final as (

    select
        namespace as source,
        event_id,
        occurred_at,
        {{ local_date('occurred_at') }} as event_date,
        lower(event_type) as event_type,
        contact_id,
        anonymous_id,
        session_id,
        product_id,
        cart_id,
        channel,
        url,
        properties
    from latest

)

select * from final
