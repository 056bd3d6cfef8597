-- Each purchase day within the history of the ladder, with what was known of the customer's buying on that day, and
-- until when a regular customer was one unless they bought again.
with

store_wide as (

    select day from {{ ref('int_discount_days') }}
    where customer_id is null

),

own as (

    select customer_id, day from {{ ref('int_discount_days') }}
    where customer_id is not null

),

purchases as (

    select
        purchases.*,
        case when store_wide.day is not null or own.day is not null then purchases.orders else 0 end as orders_on
    from {{ ref('int_purchase_days') }} as purchases
    left join store_wide on purchases.purchase_date = store_wide.day
    left join own
        on
            purchases.customer_id = own.customer_id
            and purchases.purchase_date = own.day

),

steps as (

    select
        customer_id,
        purchase_date,
        lead(purchase_date) over (partition by customer_id order by purchase_date) as next_purchase_date,
        min(purchase_date) over so_far as first_purchase_date,
        cast(count(*) over so_far as integer) as purchase_days,
        {{ median_so_far('gap_days', 'customer_id', 'purchase_date') }} as median_gap_days,
        cast(sum(orders_on) over so_far as integer) as orders_on,
        cast(sum(orders - orders_on) over so_far as integer) as orders_off,
        cast(sum(full_price_orders) over so_far as integer) as full_price_orders
    from purchases
    window
        so_far as (
            partition by customer_id order by purchase_date rows between unbounded preceding and current row
        )

),

final as (

    select
        *,
        coalesce({{ days_before('next_purchase_date', 1) }}, {{ as_of_date() }}) as stands_until,
        case
            when purchase_days >= {{ rule('lifecycle.majority_purchase_days') }}
                then {{ days_after('purchase_date', 'floor(' ~ allowed_gap_days('median_gap_days') ~ ')') }}
        end as regular_until
    from steps
    where next_purchase_date is null or next_purchase_date > {{ history_start() }}

)

select * from final
