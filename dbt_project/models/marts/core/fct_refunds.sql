with

final as (

    select
        refunds.refund_id,
        refunds.source,
        refunds.order_id,
        orders.customer_id,
        refunds.refunded_at,
        refunds.refund_date,
        refunds.amount,
        refunds.reason,
        orders.order_id is not null as is_linked
    from {{ ref('stg_refunds') }} as refunds
    left join {{ ref('int_orders_valued') }} as orders
        on
            refunds.source = orders.source
            and refunds.order_id = orders.order_id

)

select * from final
