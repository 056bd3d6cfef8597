-- People whose complaint was resolved, and buyers of the same month who had none: each with a purchase behind them. The
-- one begins when the complaint was resolved, the other with their first purchase of the month.
{{ config(materialized='view') }}

with

complaints as (

    select identities.customer_id, tickets.opened_date, tickets.resolved_at
    from {{ ref('stg_tickets') }} as tickets
    inner join {{ ref('int_customer_identities') }} as identities
        on
            tickets.source = identities.source
            and tickets.contact_id = identities.contact_id
    where tickets.kind = 'complaint'

),

purchases as (

    select
        customer_id,
        purchase_date,
        row_number() over (partition by customer_id order by purchase_date) as purchase_days,
        lag(purchase_date) over (partition by customer_id order by purchase_date) as last_date,
        lead(purchase_date) over (partition by customer_id order by purchase_date) as next_date
    from {{ ref('int_purchase_days') }}

),

first_complaints as (

    select customer_id, min(opened_date) as opened_date
    from complaints
    group by customer_id

),

-- Of several complaints resolved in a month the first counts.
resolutions as (

    select
        customer_id,
        cast(date_trunc('month', {{ local_date('resolved_at') }}) as date) as month,
        min({{ local_date('resolved_at') }}) as start_date
    from complaints
    where resolved_at is not null
    group by customer_id, cast(date_trunc('month', {{ local_date('resolved_at') }}) as date)

),

-- The last purchase up to the resolution tells how many there were, and the next one.
complainers as (

    select
        resolutions.customer_id,
        resolutions.month,
        resolutions.start_date,
        purchases.purchase_days,
        purchases.next_date,
        true as has_complained
    from resolutions
    inner join purchases
        on
            resolutions.customer_id = purchases.customer_id
            and resolutions.start_date >= purchases.purchase_date
            and (purchases.next_date is null or resolutions.start_date < purchases.next_date)

),

others as (

    select
        purchases.customer_id,
        cast(date_trunc('month', purchases.purchase_date) as date) as month,
        purchases.purchase_date as start_date,
        purchases.purchase_days,
        purchases.next_date,
        false as has_complained
    from purchases
    left join first_complaints on purchases.customer_id = first_complaints.customer_id
    where
        (purchases.last_date is null or purchases.last_date < date_trunc('month', purchases.purchase_date))
        and (
            first_complaints.opened_date is null
            or {{ days_between('purchases.purchase_date', 'first_complaints.opened_date') }}
            > {{ rule('service.recovery_days') }}
        )

),

final as (

    select customer_id, month, start_date, purchase_days, next_date, has_complained from complainers

    union all

    select customer_id, month, start_date, purchase_days, next_date, has_complained from others

)

select * from final
