-- The ladder from the first purchase on, as far as buying decides it: the days on which a customer bought first, bought
-- again, and began or ceased to buy regularly without discounts.
with

steps as (

    select *, greatest(purchase_date, {{ history_start() }}) as starts_on
    from {{ ref('int_purchase_steps') }}

),

turns as (

    select customer_id, starts_on as day, purchase_days = 1 as is_first, false as is_regular, 'none' as sieve_verdict
    from steps
    where regular_until is null

    union all

    select customer_id, day, false as is_first, true as is_regular, sieve_verdict
    from {{ ref('int_sieve_changes') }}

    union all

    -- The first day of a gap that is longer than allowed.
    select customer_id, greatest(starts_on, {{ days_after('regular_until', 1) }}), false, false, 'none'
    from steps
    where regular_until < stands_until

),

final as (

    select customer_id, day, is_regular, sieve_verdict
    from turns
    qualify
        is_first is distinct from lag(is_first) over (partition by customer_id order by day)
        or (sieve_verdict = 'passes')
        is distinct from lag(sieve_verdict = 'passes') over (partition by customer_id order by day)

)

select * from final
