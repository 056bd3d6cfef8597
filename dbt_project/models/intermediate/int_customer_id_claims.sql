-- Which ids of earlier days each cluster could go on with: those that its records had, and, after those, the retired
-- ones that were made from one of its records. In cluster_rank stands which id the cluster would rather have, in
-- id_rank which cluster the id belongs to first.
with

clusters as (

    select * from {{ ref('int_customer_clusters') }}

),

known_ids as (

    select * from {{ source('registry', 'customer_ids') }}

),

had as (

    select
        clusters.cluster_number,
        known.customer_id,
        cast(count(*) as integer) as n_records
    from {{ source('registry', 'records') }} as known
    inner join clusters
        on
            known.source = clusters.source
            and known.contact_id = clusters.contact_id
    group by clusters.cluster_number, known.customer_id

),

claims as (

    select cluster_number, customer_id, n_records, false as is_retired from had

    union all

    select
        clusters.cluster_number,
        known_ids.customer_id,
        0 as n_records,
        true as is_retired
    from known_ids
    inner join clusters
        on
            known_ids.source = clusters.source
            and known_ids.contact_id = clusters.contact_id
    where known_ids.into_customer_id is not null

),

described as (

    select
        claims.*,
        known_ids.first_date,
        makers.cluster_number is not null as has_maker,
        anchors.source as anchor_source,
        anchors.contact_id as anchor_contact_id
    from claims
    inner join known_ids on claims.customer_id = known_ids.customer_id
    inner join {{ ref('int_cluster_anchors') }} as anchors on claims.cluster_number = anchors.cluster_number
    left join clusters as makers
        on
            known_ids.source = makers.source
            and known_ids.contact_id = makers.contact_id
            and claims.cluster_number = makers.cluster_number

),

final as (

    select
        cluster_number,
        customer_id,
        n_records,
        is_retired,
        row_number() over (
            partition by cluster_number
            order by is_retired asc, first_date asc, n_records desc, customer_id asc
        ) as cluster_rank,
        row_number() over (
            partition by customer_id
            order by has_maker desc, n_records desc, anchor_source asc, anchor_contact_id asc
        ) as id_rank,
        count(*) over (partition by cluster_number) > 1 or count(*) over (partition by customer_id) > 1 as is_contested
    from described

)

select * from final
