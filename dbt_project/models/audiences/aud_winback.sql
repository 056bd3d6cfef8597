-- Buyers who stay away longer than they used to.
select
    'winback' as audience,
    journey.customer_id,
    case when journey.stage = 'churned' then 'gone: ' else 'at risk: ' end || {{ gap_reason() }} as why,
    cast(journey.as_of_date - journey.current_gap_days as varchar) as entry_key
from {{ ref('customer_journey') }} as journey
inner join {{ ref('customer_lifecycle') }} as lifecycle on journey.customer_id = lifecycle.customer_id
where journey.stage = 'churned' or journey.is_at_risk
