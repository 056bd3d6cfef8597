-- How many people bought again after a complaint was resolved, and how many buyers of the same month who had none.
-- Both begin with a purchase behind them: the one when the complaint was resolved, the other with their first purchase
-- of the month. Frequent buyers have more occasions to complain: all are counted by how many days they had bought on.
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

cases as (

    select * from complainers

    union all

    select * from others

),

judged as (

    select
        month,
        least(purchase_days, {{ rule('lifecycle.majority_purchase_days') }}) as purchase_days,
        has_complained,
        coalesce({{ days_between('start_date', 'next_date') }} <= {{ rule('service.recovery_days') }}, false) as is_back
    from cases
    where start_date <= {{ days_before(as_of_date(), rule('service.recovery_days')) }}

),

final as (

    select
        month,
        cast(purchase_days as integer) as purchase_days,
        {{ count_where('has_complained') }} as complainers,
        {{ count_where('has_complained and is_back') }} as complainers_back,
        {{ count_where('not has_complained') }} as others,
        {{ count_where('not has_complained and is_back') }} as others_back
    from judged
    group by month, purchase_days

)

select * from final
