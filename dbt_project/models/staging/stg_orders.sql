{{ config(materialized=kept_as('orders')) }}

with

landed as (

    select *
    from {{ source('landing', 'orders') }}
    where {{ is_known('ordered_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, order_id", entity='orders') }}

),

final as (

    select
        namespace as source,
        order_id,
        contact_id,
        ordered_at,
        {{ local_date('ordered_at') }} as order_date,
        status,
        currency,
        total_amount,
        coalesce(discount_amount, 0) as discount_amount,
        coupon_code,
        channel
    from latest

)

select * from final
