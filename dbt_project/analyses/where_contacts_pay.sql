-- Where do our messages pay, and where do they not?
--
-- How to read: one row per rung and RFM segment. `margin_per_message` against `cost_per_message`; `share_of_messages`
-- against `share_of_margin` shows where effort goes and where value comes from. `orders_to_break_even` is how many
-- orders, of the average margin of all, would pay for the messages.
-- Mind: most of the margin would be there without the messages; what they bring on top is in metrics.audience_uplift.
-- The columns are empty where a message has no price (seed contact_costs).
with

overall as (

    select
        messages,
        margin,
        margin / nullif(orders, 0) as margin_per_order
    from metrics.contact_economics
    where dimension = 'all'

)

select
    economics.dimension,
    economics.dimension_value,
    economics.customers,
    economics.messages,
    round(economics.messages / nullif(overall.messages, 0), 4) as share_of_messages,
    round(economics.margin / nullif(overall.margin, 0), 4) as share_of_margin,
    economics.margin_per_message,
    economics.cost_per_message,
    economics.contribution,
    economics.orders,
    round(economics.contact_cost / nullif(overall.margin_per_order, 0), 1) as orders_to_break_even,
    economics.pays
from metrics.contact_economics as economics
cross join overall
where economics.dimension <> 'all'
order by economics.dimension, economics.contribution, economics.dimension_value
