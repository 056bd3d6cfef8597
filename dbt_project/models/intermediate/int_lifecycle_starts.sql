-- From which day on the history of the ladder tells of a customer: from the first day that they were seen, or from the
-- first of the days of the rules.
with

customers as (

    select customer_id, {{ local_date('min(first_seen_at)') }} as first_seen_date
    from {{ ref('int_customer_identities') }}
    group by customer_id

),

final as (

    select
        customers.customer_id,
        coalesce(greatest(customers.first_seen_date, {{ history_start() }}), {{ history_start() }}) as starts_on,
        coalesce(customers.first_seen_date < {{ history_start() }}, true) as began_before,
        cadence.first_purchase_date
    from customers
    left join {{ ref('int_customer_cadence') }} as cadence on customers.customer_id = cadence.customer_id

)

select * from final
