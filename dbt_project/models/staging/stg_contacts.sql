-- A list of everybody is read some hours after the day: who changed in between is still somebody of that day, so their
-- row stands in where no earlier one is known. Only who signed up after the day was not there yet.
with

landed as (

    select
        *,
        case when {{ is_known('updated_at') }} then 1 else 0 end as is_change_known
    from {{ source('landing', 'contacts') }}
    where {{ is_known('updated_at') }} or signup_at is null or {{ is_known('signup_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, contact_id", first_by='is_change_known desc, updated_at', entity='contacts') }}

),

final as (

    select
        namespace as source,
        contact_id,
        least(updated_at, {{ as_of_end() }}) as updated_at,
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
