with

final as (

    select
        referrals.source,
        referrals.referrer_contact_id,
        referrals.referred_contact_id,
        referrers.customer_id as referrer_customer_id,
        referred.customer_id as referred_customer_id,
        referrals.referred_at,
        referrals.referral_date,
        cadence.first_purchase_date as converted_date
    from {{ ref('stg_referrals') }} as referrals
    inner join {{ ref('int_customer_identities') }} as referrers
        on
            referrals.source = referrers.source
            and referrals.referrer_contact_id = referrers.contact_id
    inner join {{ ref('int_customer_identities') }} as referred
        on
            referrals.source = referred.source
            and referrals.referred_contact_id = referred.contact_id
    left join {{ ref('int_customer_cadence') }} as cadence
        on referred.customer_id = cadence.customer_id

)

select * from final
