-- Records that belong to another customer than the day before, by the two customers; of all days up to the as-of date.
with

customers as (

    select cluster_number, customer_id from {{ ref('int_cluster_customers') }}

),

known_ids as (

    select customer_id, into_customer_id from {{ source('registry', 'customer_ids') }}

),

-- Of an id that nobody goes on with the cluster that it belongs to first takes over.
final as (

    select
        {{ as_of_date() }} as change_date,
        case
            when kept.customer_id is null and claims.id_rank = 1 then 'merged'
            when known_ids.customer_id is null or known_ids.into_customer_id is not null then 'split'
            else 'moved'
        end as change,
        claims.customer_id as from_customer_id,
        customers.customer_id as to_customer_id,
        claims.n_records
    from {{ ref('int_customer_id_claims') }} as claims
    inner join customers on claims.cluster_number = customers.cluster_number
    left join customers as kept on claims.customer_id = kept.customer_id
    left join known_ids on customers.customer_id = known_ids.customer_id
    where not claims.is_retired and claims.customer_id <> customers.customer_id

    union all

    select change_date, change, from_customer_id, to_customer_id, n_records
    from {{ source('registry', 'changes') }}

)

select * from final
