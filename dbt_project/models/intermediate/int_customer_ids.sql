-- Every id that a customer ever had: since when, the record that it was made from, and, if it is retired, the id that
-- stands for it today.
with

customers as (

    select * from {{ ref('int_cluster_customers') }}

),

known_ids as (

    select * from {{ source('registry', 'customer_ids') }}

),

merged as (

    select from_customer_id, to_customer_id
    from {{ ref('int_identity_changes') }}
    where change = 'merged' and change_date = {{ as_of_date() }}

),

final as (

    select
        known_ids.customer_id,
        known_ids.source,
        known_ids.contact_id,
        known_ids.first_date,
        case
            when customers.customer_id is null
                then coalesce(own.to_customer_id, others.to_customer_id, known_ids.into_customer_id)
        end as into_customer_id
    from known_ids
    left join customers on known_ids.customer_id = customers.customer_id
    left join merged as own on known_ids.customer_id = own.from_customer_id
    left join merged as others on known_ids.into_customer_id = others.from_customer_id

    union all

    select
        customers.customer_id,
        customers.source,
        customers.contact_id,
        {{ as_of_date() }} as first_date,
        cast(null as varchar) as into_customer_id
    from customers
    left join known_ids on customers.customer_id = known_ids.customer_id
    where known_ids.customer_id is null

)

select * from final
