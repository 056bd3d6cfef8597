-- Who are our best customers, and what do they buy?
--
-- How to read: the best are the top_share of those who bought in the last `days`, by net value. One row per category:
-- its share of what the best spend against its share of what all others spend. `times_as_much` above 1 is what the
-- best care for more than the rest do.
-- Mind: an order's net value is spread over its lines by their amounts, so that refunds and currencies are taken into
-- account; orders without lines are left out. Equal values are ordered by customer_id.
with

question as (

    select
        max(as_of_date) as as_of_date,
        365 as days,
        0.1 as top_share
    from metrics.source_freshness

),

orders as (

    select
        fct_orders.source,
        fct_orders.order_id,
        fct_orders.customer_id,
        fct_orders.net_amount
    from core.fct_orders
    cross join question
    where fct_orders.is_purchase and fct_orders.order_date > question.as_of_date - question.days

),

customers as (

    select
        customer_id,
        sum(net_amount) as net_value,
        row_number() over (order by sum(net_amount) desc, customer_id) as place,
        count(*) over () as buyers
    from orders
    group by customer_id

),

best as (

    select
        customers.customer_id,
        customers.place <= ceil(customers.buyers * question.top_share) as is_best
    from customers
    cross join question

),

lines as (

    select
        orders.customer_id,
        best.is_best,
        coalesce(fct_order_lines.category, '(none)') as category,
        orders.net_amount * fct_order_lines.line_amount / nullif(
            sum(fct_order_lines.line_amount) over (partition by orders.source, orders.order_id), 0
        ) as net_value
    from orders
    inner join best on orders.customer_id = best.customer_id
    inner join core.fct_order_lines
        on orders.source = fct_order_lines.source and orders.order_id = fct_order_lines.order_id

),

categories as (

    select
        category,
        count(distinct customer_id) filter (where is_best) as best_customers,
        coalesce(sum(net_value) filter (where is_best), 0) as net_value_of_best,
        coalesce(sum(net_value) filter (where not is_best), 0) as net_value_of_others
    from lines
    group by category

),

shares as (

    select
        *,
        net_value_of_best / nullif(sum(net_value_of_best) over (), 0) as share_of_best,
        net_value_of_others / nullif(sum(net_value_of_others) over (), 0) as share_of_others
    from categories

)

select
    category,
    best_customers,
    round(net_value_of_best, 2) as net_value_of_best,
    round(share_of_best, 4) as share_of_best,
    round(share_of_others, 4) as share_of_others,
    round(share_of_best / nullif(share_of_others, 0), 2) as times_as_much
from shares
order by share_of_best desc, category asc
