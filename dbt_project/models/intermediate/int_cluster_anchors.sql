-- The record of each cluster that was seen first; ties go to the smaller source and id. A new customer's id is made
-- from it.
with

final as (

    select
        clusters.cluster_number,
        clusters.source,
        clusters.contact_id
    from {{ ref('int_customer_clusters') }} as clusters
    inner join {{ ref('int_contact_records') }} as records
        on
            clusters.source = records.source
            and clusters.contact_id = records.contact_id
    qualify row_number() over (
        partition by clusters.cluster_number
        order by records.first_seen_at nulls last, clusters.source, clusters.contact_id
    ) = 1

)

select * from final
