-- What contacts bring against what they cost within the window of the rules, and where they do not pay.
with

customers as (

    select
        value.*,
        lifecycle.rung_name,
        rfm.segment
    from {{ ref('customer_value') }} as value
    inner join {{ ref('customer_lifecycle') }} as lifecycle on value.customer_id = lifecycle.customer_id
    left join {{ ref('customer_rfm') }} as rfm on value.customer_id = rfm.customer_id

),

sliced as (

    {% for dimension, dimension_value in [('all', "'all'"), ('rung', 'rung_name'), ('segment', 'segment')] %}
        select '{{ dimension }}' as dimension, {{ dimension_value }} as dimension_value, customers.*
        from customers
        where {{ dimension_value }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

summed as (

    select
        dimension,
        dimension_value,
        cast(count(*) as integer) as customers,
        cast(sum(messages_in_window) as bigint) as messages,
        cast(sum(orders_in_window) as bigint) as orders,
        cast(sum(net_value_in_window) as decimal(18, 2)) as net_value,
        cast(sum(discount_given_in_window) as decimal(18, 2)) as discount_given,
        cast(sum(margin_in_window) as decimal(18, 2)) as margin,
        cast(case when count(*) = count(contact_cost_in_window) then sum(contact_cost_in_window) end as decimal(18, 4))
            as contact_cost
    from sliced
    group by dimension, dimension_value

),

final as (

    select
        dimension,
        dimension_value,
        customers,
        messages,
        orders,
        net_value,
        discount_given,
        margin,
        contact_cost,
        cast(margin - contact_cost as decimal(18, 4)) as contribution,
        cast(margin / nullif(messages, 0) as decimal(18, 4)) as margin_per_message,
        cast(contact_cost / nullif(messages, 0) as decimal(18, 4)) as cost_per_message,
        case when messages > 0 then margin > contact_cost end as pays
    from summed

)

select * from final
