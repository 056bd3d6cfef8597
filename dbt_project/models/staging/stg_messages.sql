{{ config(materialized=kept_as('messages')) }}

with

landed as (

    select *
    from {{ source('landing', 'messages') }}
    where {{ is_known('occurred_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, message_id, event, occurred_at", entity='messages') }}

),

final as (

    select
        namespace as source,
        message_id,
        {{ person_id('contact_id', 'email') }} as contact_id,
        email,
        channel,
        event,
        occurred_at,
        {{ local_date('occurred_at') }} as message_date,
        campaign,
        audience
    from latest

)

select * from final
