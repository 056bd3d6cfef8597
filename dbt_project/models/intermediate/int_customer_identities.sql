-- The customer that each record belongs to.
with

final as (

    select
        customers.customer_id,
        cast(customers.cluster_number as integer) as customer_number,
        records.source,
        records.contact_id,
        records.first_seen_at,
        records.is_listed
    from {{ ref('int_customer_clusters') }} as clusters
    inner join {{ ref('int_contact_records') }} as records
        on
            clusters.source = records.source
            and clusters.contact_id = records.contact_id
    inner join {{ ref('int_cluster_customers') }} as customers
        on clusters.cluster_number = customers.cluster_number

)

select * from final
