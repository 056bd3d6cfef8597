-- The customer that each record belongs to. The id comes from the record that was seen first, so that
-- it stays the same while records join; ties go to the smaller source and id.
with

records as (

    select
        clusters.source,
        clusters.contact_id,
        clusters.cluster_number,
        records.first_seen_at,
        records.is_listed
    from {{ ref('int_customer_clusters') }} as clusters
    inner join {{ ref('int_contact_records') }} as records
        on
            clusters.source = records.source
            and clusters.contact_id = records.contact_id

),

anchors as (

    select
        cluster_number,
        'c' || substr({{ sha256("source || ':' || contact_id") }}, 1, 16) as customer_id
    from records
    qualify row_number() over (
        partition by cluster_number
        order by first_seen_at nulls last, source, contact_id
    ) = 1

),

final as (

    select
        anchors.customer_id,
        records.source,
        records.contact_id,
        records.first_seen_at,
        records.is_listed
    from records
    inner join anchors on records.cluster_number = anchors.cluster_number

)

select * from final
