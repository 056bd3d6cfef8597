-- How many people a customer who buys regularly without discounts has brought within the window of the rules, on every
-- day on which the number changed: from the day on which they first bought, until the referral is too long ago.
with

customers as (

    select distinct customer_id from {{ ref('int_sieve_changes') }}
    where sieve_verdict = 'passes'

),

referrals as (

    select
        referrers.customer_id as referrer_customer_id,
        referred.customer_id as referred_customer_id,
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
    inner join {{ ref('int_customer_cadence') }} as cadence on referred.customer_id = cadence.customer_id

),

brought as (

    select
        referrals.referrer_customer_id as customer_id,
        referrals.referred_customer_id,
        referrals.converted_date,
        max({{ days_after('referrals.referral_date', rule('lifecycle.referral_days')) }}) as ended_date
    from referrals
    inner join customers on referrals.referrer_customer_id = customers.customer_id
    where {{ has_brought() }}
    group by referrals.referrer_customer_id, referrals.referred_customer_id, referrals.converted_date

),

turns as (

    select customer_id, converted_date as day, 1 as more_brought from brought
    where ended_date > converted_date

    union all

    select customer_id, ended_date, -1 from brought
    where ended_date > converted_date and ended_date <= {{ as_of_date() }}

),

final as (

    select
        customer_id,
        day,
        cast(sum(sum(more_brought)) over (partition by customer_id order by day) as integer) as customers_brought
    from turns
    group by customer_id, day

)

select * from final
