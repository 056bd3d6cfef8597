{{ config(materialized='view') }}

with

final as (

    select
        order_id,
        source,
        customer_id,
        ordered_at,
        order_date,
        status,
        currency,
        gross_amount,
        refunded_amount,
        net_amount,
        discount_amount,
        coupon_code,
        channel,
        is_purchase,
        is_discounted
    from {{ ref('int_orders_valued') }}

)

select * from final
