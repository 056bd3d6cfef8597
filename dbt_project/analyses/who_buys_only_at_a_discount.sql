-- Who buys only at a discount?
--
-- How to read: buyers by the verdict of the discount sieve (does buying survive when discounts are withdrawn?) and by
-- how often they use one. `orders_per_100_days_on` and `_off` are their purchases per 100 days with and without a
-- discount to be had; `incentive_margin_share` is how much of the margin the discounts ate.
-- Mind: insufficient_evidence is no verdict; the sieve needs days of both kinds and full-price orders
-- (rules.lifecycle). Campaigns that tangga.yml does not know look like days without a discount.
with

buyers as (

    select
        sieve.*,
        coalesce(preferences.discount_preference, '(nothing bought lately)') as discount_preference
    from customer.customer_discount_sieve as sieve
    left join customer.customer_preferences as preferences on sieve.customer_id = preferences.customer_id

)

select
    sieve_verdict,
    discount_preference,
    count(*) as customers,
    round(count(*) / sum(count(*)) over (), 4) as share_of_customers,
    sum(orders_on + orders_off) as orders,
    round(100 * sum(orders_on) / nullif(sum(days_on), 0), 2) as orders_per_100_days_on,
    round(100 * sum(orders_off) / nullif(sum(days_off), 0), 2) as orders_per_100_days_off,
    sum(full_price_orders) as full_price_orders,
    sum(incentive_cost) as incentive_cost,
    sum(margin) as margin,
    round(sum(incentive_cost) / nullif(sum(margin + incentive_cost), 0), 4) as incentive_margin_share
from buyers
group by sieve_verdict, discount_preference
order by incentive_cost desc, sieve_verdict asc, discount_preference asc
