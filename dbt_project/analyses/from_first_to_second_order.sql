-- How long is it from the first to the second order, and how many get there?
--
-- How to read: one row per number of days. Of the customers whose first purchase is at least so long ago
-- (`customers`), how many had bought on another day by then. Where the share flattens, waiting longer brings nobody:
-- that is when a second-purchase campaign has to have been sent.
-- Mind: each row has its own customers, as the younger ones have not had the time yet; so a share may be lower than
-- the one before it. The rest of a day after the first purchase counts as the same purchase.
with

question as (

    select
        max(as_of_date) as as_of_date,
        unnest([7, 14, 30, 45, 60, 90, 120, 180, 365]) as days
    from metrics.source_freshness

),

purchase_days as (

    select distinct
        customer_id,
        order_date
    from core.fct_orders
    where is_purchase

),

numbered as (

    select
        customer_id,
        order_date,
        row_number() over (partition by customer_id order by order_date) as place
    from purchase_days

),

customers as (

    select
        customer_id,
        max(order_date) filter (where place = 1) as first_date,
        max(order_date) filter (where place = 2) as second_date
    from numbered
    group by customer_id

)

select
    question.days,
    count(*) as customers,
    count(*) filter (where customers.second_date - customers.first_date <= question.days) as bought_again,
    round(
        count(*) filter (where customers.second_date - customers.first_date <= question.days) / count(*), 4
    ) as share,
    median(customers.second_date - customers.first_date) filter (
        where customers.second_date - customers.first_date <= question.days
    ) as median_days
from customers
cross join question
where customers.first_date + question.days <= question.as_of_date
group by question.days
order by question.days
