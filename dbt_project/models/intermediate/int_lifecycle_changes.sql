-- Everything that the ladder looks at, as it stood on every day on which any of it changed. The columns are those that
-- customer_lifecycle judges by.
with

buying as (

    select * from {{ ref('int_lifecycle_buying') }}

),

satisfaction as (

    select * from {{ ref('int_satisfaction_changes') }}

),

referrals as (

    select * from {{ ref('int_referral_changes') }}

),

turns as (

    select
        customer_id,
        day,
        day as buying_day,
        cast(null as date) as satisfaction_day,
        cast(null as date) as referral_day
    from buying

    union all

    select customer_id, day, null, day as satisfaction_day, null from satisfaction

    union all

    select customer_id, day, null, null, day as referral_day from referrals

),

-- For every day: since when all of it has been as it was then.
days as (

    select
        customer_id,
        day,
        max(max(buying_day)) over so_far as buying_day,
        max(max(satisfaction_day)) over so_far as satisfaction_day,
        max(max(referral_day)) over so_far as referral_day
    from turns
    group by customer_id, day
    window so_far as (partition by customer_id order by day)

),

final as (

    select
        days.customer_id,
        days.day,
        steps.purchase_days,
        steps.median_gap_days,
        {{ days_between('steps.purchase_date', 'days.day') }} as current_gap_days,
        buying.is_regular,
        buying.sieve_verdict,
        steps.full_price_orders,
        false as has_opted_in,
        false as has_engaged,
        coalesce(satisfaction.is_satisfied, false) as is_satisfied,
        coalesce(satisfaction.has_open_complaint, false) as has_open_complaint,
        coalesce(referrals.customers_brought, 0) as customers_brought
    from days
    inner join buying
        on
            days.customer_id = buying.customer_id
            and days.buying_day = buying.day
    inner join {{ ref('int_purchase_steps') }} as steps
        on
            days.customer_id = steps.customer_id
            and days.day >= steps.purchase_date
            and days.day <= steps.stands_until
    left join satisfaction
        on
            days.customer_id = satisfaction.customer_id
            and days.satisfaction_day = satisfaction.day
    left join referrals
        on
            days.customer_id = referrals.customer_id
            and days.referral_day = referrals.day

    union all

    select
        customer_id,
        day,
        0,
        null,
        null,
        false,
        null,
        null,
        has_opted_in,
        has_engaged,
        false,
        false,
        0
    from {{ ref('int_lifecycle_prospects') }}

)

select * from final
