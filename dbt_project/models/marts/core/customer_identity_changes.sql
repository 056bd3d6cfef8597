with

final as (

    select change_date, change, from_customer_id, to_customer_id, n_records
    from {{ ref('int_identity_changes') }}

)

select * from final
