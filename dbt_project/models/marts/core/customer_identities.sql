with

final as (

    select customer_id, source, contact_id, is_listed
    from {{ ref('int_customer_identities') }}

)

select * from final
