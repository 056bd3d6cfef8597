-- While a customer buys regularly, from one purchase day to the next: what the discount sieve says when the span
-- begins, and whether that can turn before it ends, were all its days with a discount or all without. Who has not
-- bought enough at full price fails on any day.
with

spans as (

    select
        *,
        greatest(purchase_date, {{ history_start() }}) as starts_on,
        least(regular_until, stands_until) as ends_on
    from {{ ref('int_purchase_steps') }}
    where regular_until >= {{ history_start() }}

),

own_days as (

    select customer_id, day from {{ ref('int_discount_days') }}
    where customer_id is not null

),

-- How many days of own offers lie from the first purchase up to the beginning of each span.
own_counts as (

    select
        customer_id,
        starts_on,
        sum(is_own_day) over (partition by customer_id order by day) as days_on
    from (
        select spans.customer_id, spans.starts_on as day, spans.starts_on, 0 as is_own_day
        from spans
        where spans.customer_id in (select own_days.customer_id from own_days)

        union all

        select own_days.customer_id, own_days.day, cast(null as date), 1
        from own_days
        inner join {{ ref('int_customer_cadence') }} as cadence
            on
                own_days.customer_id = cadence.customer_id
                and own_days.day >= cadence.first_purchase_date
    ) as points
    qualify starts_on is not null

),

known as (

    select
        spans.*,
        cast(
            today.days_on - first.days_on + case when first.is_on then 1 else 0 end + coalesce(own_counts.days_on, 0)
            as integer
        ) as days_on,
        {{ days_between('spans.first_purchase_date', 'spans.starts_on') }} + 1 as days_known,
        {{ days_between('spans.starts_on', 'spans.ends_on') }} as days_left
    from spans
    inner join {{ ref('int_discount_calendar') }} as today on spans.starts_on = today.day
    inner join {{ ref('int_discount_calendar') }} as first on spans.first_purchase_date = first.day
    left join own_counts
        on
            spans.customer_id = own_counts.customer_id
            and spans.starts_on = own_counts.starts_on

),

judged as (

    select
        *,
        {{ sieve_verdict('days_on', '(days_known - days_on)') }} as sieve_verdict,
        {{ sieve_off('orders_off', 'days_on') }}
        >= {{ sieve_on('orders_on', '(days_known - days_on + days_left)') }} as passes_at_worst,
        {{ sieve_off('orders_off', '(days_on + days_left)') }}
        >= {{ sieve_on('orders_on', '(days_known - days_on)') }} as passes_at_best
    from known

),

final as (

    select
        customer_id,
        purchase_date,
        starts_on,
        ends_on,
        orders_on,
        orders_off,
        full_price_orders,
        days_on,
        cast(days_known - days_on as integer) as days_off,
        sieve_verdict,
        full_price_orders >= {{ rule('lifecycle.sieve_min_full_price_orders') }}
        and case sieve_verdict
            when 'passes' then not passes_at_worst
            when 'fails' then passes_at_best
            else days_left > 0
        end as may_turn
    from judged

)

select * from final
