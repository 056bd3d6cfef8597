{{ config(materialized=kept_as('survey_responses')) }}

with

landed as (

    select *
    from {{ source('landing', 'survey_responses') }}
    where {{ is_known('coalesce(sent_at, answered_at)') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, response_id", entity='survey_responses') }}

),

final as (

    select
        namespace as source,
        response_id,
        {{ person_id('contact_id', 'email') }} as contact_id,
        email,
        survey,
        kind,
        case when {{ is_known('answered_at') }} then answered_at end as answered_at,
        case when {{ is_known('answered_at') }} then {{ local_date('answered_at') }} end as answer_date,
        case when {{ is_known('answered_at') }} then score end as score,
        case when {{ is_known('answered_at') }} then comment end as comment,
        sent_at,
        touchpoint,
        order_id
    from latest

)

select * from final
