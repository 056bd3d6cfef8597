-- Which acquisition channel brings customers who stay?
--
-- How to read: one row per channel that customers came from. `bought_share` is who ever bought; `repurchase_share`
-- is, of those whose first purchase is at least `days` ago, who bought again within them; `gone_share` is, of all
-- buyers, who has stayed away three times longer than usual (customer_journey: churned).
-- Mind: gone_share and net value favour channels whose customers are old; compare channels by repurchase_share, which
-- gives each customer the same time. What a channel costs is not known here.
with

question as (

    select
        max(as_of_date) as as_of_date,
        90 as days
    from metrics.source_freshness

),

purchase_days as (

    select distinct
        customer_id,
        order_date
    from core.fct_orders
    where is_purchase

),

buyers as (

    select
        customer_id,
        order_date as first_date,
        lead(order_date) over (partition by customer_id order by order_date) as second_date
    from purchase_days
    qualify row_number() over (partition by customer_id order by order_date) = 1

),

customers as (

    select
        coalesce(customer_360.acquisition_channel, '(none)') as acquisition_channel,
        buyers.customer_id is not null as has_bought,
        buyers.first_date + question.days <= question.as_of_date as is_observed,
        buyers.second_date - buyers.first_date <= question.days as is_back_in_time,
        customer_360.journey_stage = 'churned' as is_gone,
        customer_360.net_value
    from customer.customer_360
    left join buyers on customer_360.customer_id = buyers.customer_id
    cross join question

)

select
    acquisition_channel,
    count(*) as customers,
    count(*) filter (where has_bought) as buyers,
    round(count(*) filter (where has_bought) / count(*), 4) as bought_share,
    count(*) filter (where is_observed) as observed,
    round(
        count(*) filter (where is_observed and is_back_in_time) / nullif(count(*) filter (where is_observed), 0), 4
    ) as repurchase_share,
    round(
        count(*) filter (where has_bought and is_gone) / nullif(count(*) filter (where has_bought), 0), 4
    ) as gone_share,
    round(avg(net_value) filter (where has_bought), 2) as net_value_per_buyer
from customers
group by acquisition_channel
order by repurchase_share desc nulls last, acquisition_channel asc
