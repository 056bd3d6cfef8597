-- Recency, frequency and monetary value of everybody who bought within the window.
with

final as (

    select
        customer_id,
        {{ days_between('max(order_date)', as_of_date()) }} as recency_days,
        cast(count(*) as integer) as frequency,
        cast(sum(net_amount) as decimal(18, 2)) as monetary
    from {{ ref('int_orders_valued') }}
    where is_purchase
    {% if rule('rfm.window_days') %}
            and order_date > {{ days_before(as_of_date(), rule('rfm.window_days')) }}
        {% endif %}
    group by customer_id

)

select * from final
