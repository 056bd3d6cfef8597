-- Who should order again in the next weeks, and what may it bring?
--
-- How to read: customers with two or more purchase days whose own usual gap ends within the next `days`, or has ended
-- and they are not at risk yet. `days_left` below 0: overdue. `expected_order_value` is their average purchase. For
-- the stock, group it by preferred_category; for a campaign, look at is_contactable_by_email.
-- Mind: the usual gap is the median of the past ones, within the floor and cap of rules.journey; half of all
-- purchases come later than a median. No seasons are in it.
with

question as (

    select
        max(as_of_date) as as_of_date,
        30 as days
    from metrics.source_freshness

),

buyers as (

    select
        value.customer_id,
        value.last_order_date,
        journey.usual_gap_days,
        value.last_order_date + cast(round(journey.usual_gap_days) as integer) as expected_on,
        value.net_value / value.orders as expected_order_value
    from customer.customer_value as value
    inner join customer.customer_journey as journey on value.customer_id = journey.customer_id
    inner join customer.customer_lifecycle as lifecycle on value.customer_id = lifecycle.customer_id
    where lifecycle.purchase_days > 1 and journey.stage <> 'churned' and not journey.is_at_risk

)

select
    buyers.customer_id,
    buyers.last_order_date,
    buyers.usual_gap_days,
    buyers.expected_on,
    buyers.expected_on - question.as_of_date as days_left,
    round(buyers.expected_order_value, 2) as expected_order_value,
    customer_360.rung_name,
    customer_360.segment,
    customer_360.preferred_category,
    customer_360.recommended_product_name,
    customer_360.is_contactable_by_email
from buyers
inner join customer.customer_360 on buyers.customer_id = customer_360.customer_id
cross join question
where buyers.expected_on <= question.as_of_date + question.days
order by buyers.expected_on asc, buyers.expected_order_value desc, buyers.customer_id asc
