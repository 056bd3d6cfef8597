-- How much of the revenue do how few customers bring (Pareto)?
--
-- How to read: who bought in the last `days`, best first, in ten groups of the same size; `share_so_far` in the
-- second row is what the best 20 % bring. If that is far above 0.8, the loss of a few customers is a risk to the
-- business.
-- Mind: who has not bought in those days is not in it. Equal values are ordered by customer_id.
with

question as (

    select
        max(as_of_date) as as_of_date,
        365 as days
    from metrics.source_freshness

),

customers as (

    select
        fct_orders.customer_id,
        sum(fct_orders.net_amount) as net_value
    from core.fct_orders
    cross join question
    where fct_orders.is_purchase and fct_orders.order_date > question.as_of_date - question.days
    group by fct_orders.customer_id

),

grouped as (

    select
        net_value,
        ntile(10) over (order by net_value desc, customer_id asc) as tenth
    from customers

)

select
    tenth,
    count(*) as customers,
    min(net_value) as from_net_value,
    sum(net_value) as net_value,
    round(sum(net_value) / sum(sum(net_value)) over (), 4) as share,
    round(sum(sum(net_value)) over (order by tenth) / sum(sum(net_value)) over (), 4) as share_so_far
from grouped
group by tenth
order by tenth
