-- In how many orders each customer bought of a category within the window of needs. A model of its own, because to
-- join the lines and to count the views at once takes the memory of both.
with

-- An order may name a category on several lines.
in_orders as (

    select distinct
        orders.customer_number,
        lines.category,
        lines.source,
        lines.order_id,
        orders.order_date
    from {{ ref('stg_order_lines') }} as lines
    inner join {{ ref('int_orders_valued') }} as orders
        on
            lines.source = orders.source
            and lines.order_id = orders.order_id
    where
        orders.is_purchase
        and lines.category is not null
        and orders.order_date > {{ days_before(as_of_date(), rule('needs.window_days')) }}

),

final as (

    select customer_number, category, cast(count(*) as integer) as orders, max(order_date) as last_order_date
    from in_orders
    group by customer_number, category

)

select * from final
