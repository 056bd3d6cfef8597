-- Who complains, and do they leave?
--
-- How to read: buyers by what became of their latest complaint. `gone_share` is who has stayed away three times
-- longer than usual since; `bought_since_share` is who has bought on a day after they complained.
-- Mind: to complain one must have bought, and most who buy much complain sometime, so complainers are no random
-- customers. metrics.service_recovery compares them with customers like them; look there before you conclude.
with

complaints as (

    select
        customer_id,
        opened_date,
        case
            when not is_resolved then 'not resolved'
            when is_resolution_breached then 'resolved late'
            else 'resolved in time'
        end as outcome
    from core.fct_tickets
    where kind = 'complaint' and customer_id is not null
    qualify row_number() over (partition by customer_id order by opened_at desc, source asc, ticket_id asc) = 1

),

buyers as (

    select
        customer_360.customer_id,
        coalesce(complaints.outcome, 'never complained') as complaint,
        customer_360.journey_stage = 'churned' as is_gone,
        customer_360.is_at_risk,
        customer_360.net_value,
        customer_value.last_order_date > complaints.opened_date as has_bought_since
    from customer.customer_360
    inner join customer.customer_value on customer_360.customer_id = customer_value.customer_id
    left join complaints on customer_360.customer_id = complaints.customer_id
    where customer_360.orders > 0

)

select
    complaint,
    count(*) as customers,
    round(count(*) / sum(count(*)) over (), 4) as share_of_buyers,
    round(avg(cast(has_bought_since as integer)), 4) as bought_since_share,
    round(avg(cast(is_at_risk as integer)), 4) as at_risk_share,
    round(avg(cast(is_gone as integer)), 4) as gone_share,
    round(avg(net_value), 2) as net_value_per_customer
from buyers
group by complaint
order by gone_share desc, complaint asc
