-- Buyers who stay away longer than they used to.
select
    'winback' as audience,
    customer_id,
    case when stage = 'churned' then 'gone: ' else 'at risk: ' end
    || 'last bought '
    || cast(current_gap_days as varchar)
    || ' days ago against a usual gap of ' || cast(cast(round(usual_gap_days) as integer) as varchar) as why,
    cast(as_of_date - current_gap_days as varchar) as entry_key
from {{ ref('customer_journey') }}
where stage = 'churned' or is_at_risk
