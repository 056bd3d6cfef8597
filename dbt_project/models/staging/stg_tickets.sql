{{ config(materialized=kept_as('tickets')) }}

with

landed as (

    select *
    from {{ source('landing', 'tickets') }}
    where {{ is_known('opened_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, ticket_id", entity='tickets') }}

),

final as (

    select
        namespace as source,
        ticket_id,
        {{ person_id('contact_id', 'email') }} as contact_id,
        email,
        kind,
        opened_at,
        {{ local_date('opened_at') }} as opened_date,
        channel,
        topic,
        case when {{ is_known('first_replied_at') }} then first_replied_at end as first_replied_at,
        case when {{ is_known('resolved_at') }} then resolved_at end as resolved_at,
        coalesce(reopened_count, 0) as reopened_count,
        case when {{ is_known('resolved_at') }} then csat_score end as csat_score
    from latest

)

select * from final
