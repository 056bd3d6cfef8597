{{ config(materialized=kept_as('referrals')) }}

with

landed as (

    select *
    from {{ source('landing', 'referrals') }}
    where {{ is_known('referred_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, referrer_contact_id, referred_contact_id", entity='referrals') }}

),

final as (

    select
        namespace as source,
        referrer_contact_id,
        referred_contact_id,
        referred_at,
        {{ local_date('referred_at') }} as referral_date,
        code
    from latest

)

select * from final
