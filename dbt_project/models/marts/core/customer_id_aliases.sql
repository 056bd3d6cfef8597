with

final as (

    select customer_id as customer_id_before, into_customer_id as customer_id
    from {{ ref('int_customer_ids') }}
    where into_customer_id is not null

)

select * from final
