-- The ladder from the first purchase on, as far as buying decides it: every day on which it may have changed.
with

steps as (

    select *, greatest(purchase_date, {{ history_start() }}) as starts_on
    from {{ ref('int_purchase_steps') }}

),

final as (

    select
        customer_id,
        starts_on as day,
        purchase_date,
        purchase_days,
        median_gap_days,
        false as is_regular,
        cast(null as varchar) as sieve_verdict,
        full_price_orders
    from steps
    where regular_until is null

    union all

    select
        customer_id,
        day,
        purchase_date,
        purchase_days,
        median_gap_days,
        true as is_regular,
        sieve_verdict,
        full_price_orders
    from {{ ref('int_sieve_changes') }}

    union all

    -- The first day of a gap that is longer than allowed.
    select
        customer_id,
        greatest(starts_on, {{ days_after('regular_until', 1) }}) as day,
        purchase_date,
        purchase_days,
        median_gap_days,
        false as is_regular,
        cast(null as varchar) as sieve_verdict,
        full_price_orders
    from steps
    where regular_until < stands_until

)

select * from final
