-- What each order was worth: converted, net of refunds, never below zero, and whether it was a purchase.
with

orders as (

    select * from {{ ref('stg_orders') }}

),

rates as (

    select * from {{ ref('int_currency_rates') }}

),

refunds as (

    select source, order_id, cast(sum(amount) as decimal(18, 2)) as refunded_amount
    from {{ ref('stg_refunds') }}
    group by source, order_id

),

converted as (

    select
        orders.source,
        orders.order_id,
        identities.customer_id,
        identities.customer_number,
        orders.ordered_at,
        orders.order_date,
        orders.status,
        orders.currency,
        orders.coupon_code,
        orders.channel,
        statuses.is_purchase as is_purchase_status,
        -- Most orders need no conversion, and the wide numbers that it takes are slow.
        case
            when rates.rate is null then orders.total_amount
            else cast(orders.total_amount * rates.rate as decimal(18, 2))
        end as gross_amount,
        case
            when rates.rate is null then orders.discount_amount
            else cast(orders.discount_amount * rates.rate as decimal(18, 2))
        end as discount_amount,
        case
            when rates.rate is null then coalesce(refunds.refunded_amount, 0)
            else cast(coalesce(refunds.refunded_amount, 0) * rates.rate as decimal(18, 2))
        end as refunded_amount
    from orders
    inner join {{ ref('int_customer_identities') }} as identities
        on
            orders.source = identities.source
            and orders.contact_id = identities.contact_id
    inner join {{ ref('order_statuses') }} as statuses on orders.status = statuses.status
    left join rates
        on
            orders.currency = rates.currency
            and orders.order_date = rates.order_date
    left join refunds
        on
            orders.source = refunds.source
            and orders.order_id = refunds.order_id
    where orders.currency = '{{ var("currency") }}' or rates.rate is not null

),

final as (

    select
        source,
        order_id,
        customer_id,
        customer_number,
        ordered_at,
        order_date,
        status,
        currency,
        coupon_code,
        channel,
        gross_amount,
        discount_amount,
        least(refunded_amount, gross_amount) as refunded_amount,
        cast(greatest(gross_amount - refunded_amount, 0) as decimal(18, 2)) as net_amount,
        is_purchase_status and gross_amount - refunded_amount > 0 as is_purchase,
        discount_amount > 0 or coupon_code is not null as is_discounted
    from converted

)

select * from final
