-- The customer that each cluster is: the one it goes on with, else a new one, named by the hash of the cluster's anchor
-- record. Where that name is somebody else's already the day is hashed as well, which no id of an earlier day can have.
with

known_ids as (

    select customer_id from {{ source('registry', 'customer_ids') }}

),

kept as (

    select cluster_number, customer_id
    from {{ ref('int_customer_id_claims') }}
    where not is_contested

    union all

    select cluster_number, customer_id from {{ ref('int_settled_claims') }}

),

anchors as (

    select
        anchors.cluster_number,
        anchors.source,
        anchors.contact_id,
        kept.customer_id,
        anchors.source || ':' || anchors.contact_id as name
    from {{ ref('int_cluster_anchors') }} as anchors
    left join kept on anchors.cluster_number = kept.cluster_number

),

named as (

    select
        cluster_number,
        'c' || substr({{ sha256('name') }}, 1, 16) as customer_id,
        'c' || substr({{ sha256("name || ':" ~ var('as_of_date') ~ "'") }}, 1, 16) as customer_id_of_the_day
    from anchors
    where customer_id is null

),

final as (

    select
        anchors.cluster_number,
        anchors.source,
        anchors.contact_id,
        case
            when anchors.customer_id is not null then anchors.customer_id
            when known_ids.customer_id is null then named.customer_id
            else named.customer_id_of_the_day
        end as customer_id
    from anchors
    left join named on anchors.cluster_number = named.cluster_number
    left join known_ids on named.customer_id = known_ids.customer_id

)

select * from final
