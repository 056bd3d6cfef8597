{# Of each customer, stays follow each other without gap or overlap, on another rung each time, and one is open. Rows are
   customers of whom that is not so, and those who have no stay. #}
{% test stays_without_gaps(model) %}
with

stays as (

    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_from,
        lead(rung) over (partition by customer_id order by valid_from) as next_rung
    from {{ model }}

),

judged as (

    select
        customer_id,
        bool_and(
            valid_to is not distinct from next_from
            and is_current = (valid_to is null)
            and valid_from < coalesce(valid_to, {{ days_after(as_of_date(), 1) }})
            and rung <> coalesce(next_rung, 0)
        ) as is_whole
    from stays
    group by customer_id

)

select coalesce(customers.customer_id, judged.customer_id) as customer_id, judged.is_whole
from {{ ref('dim_customers') }} as customers
full outer join judged on customers.customer_id = judged.customer_id
where customers.customer_id is null or not coalesce(judged.is_whole, false)
{% endtest %}
