with

landed as (

    select *
    from {{ source('landing', 'contacts') }}
    where {{ is_known('updated_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, contact_id", first_by='updated_at') }}

),

final as (

    select
        namespace as source,
        contact_id,
        updated_at,
        email,
        is_email_valid,
        phone,
        is_phone_valid,
        first_name,
        last_name,
        gender,
        birth_date,
        occupation,
        city,
        upper(country) as country,
        lower(language) as language,
        case when {{ is_known('signup_at') }} then signup_at end as signup_at,
        acquisition_channel,
        interests
    from latest

)

select * from final
