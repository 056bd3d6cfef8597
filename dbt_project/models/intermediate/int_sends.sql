-- What was handed out before, to the customers as they are today: who stands for somebody else by now got both.
with

ids as (

    select * from {{ ref('int_customer_ids') }}

),

final as (

    select
        sends.as_of_date,
        coalesce(ids.into_customer_id, sends.customer_id) as customer_id,
        sends.customer_id as customer_id_before,
        sends.audience,
        sends.entry_key,
        sends.step,
        sends.channel,
        sends.template,
        sends.test_group
    from {{ source('registry', 'sends') }} as sends
    left join ids on sends.customer_id = ids.customer_id

)

select * from final
