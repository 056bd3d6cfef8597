with

landed as (

    select *
    from {{ source('landing', 'consents') }}
    where {{ is_known('status_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest(
        "namespace, " ~ person_id('contact_id', 'email') ~ ", channel, lower(coalesce(purpose, 'marketing')), status_at, status"
    ) }}

),

final as (

    select
        namespace as source,
        {{ person_id('contact_id', 'email') }} as contact_id,
        email,
        channel,
        status,
        status_at,
        lower(coalesce(purpose, 'marketing')) as purpose,
        method,
        wording_version
    from latest

)

select * from final
