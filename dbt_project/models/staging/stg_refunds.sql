{{ config(materialized=kept_as('refunds')) }}

with

landed as (

    select *
    from {{ source('landing', 'refunds') }}
    where {{ is_known('refunded_at') }}

),

latest as (

    select *
    from landed
    {{ keep_latest("namespace, refund_id", entity='refunds') }}

),

final as (

    select
        namespace as source,
        refund_id,
        order_id,
        refunded_at,
        {{ local_date('refunded_at') }} as refund_date,
        amount,
        reason
    from latest

)

select * from final
