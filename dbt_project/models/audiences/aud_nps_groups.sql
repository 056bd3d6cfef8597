-- One audience for promoters, passives and detractors, by a customer's latest answer within the year.
select
    'nps_' || nps_group || 's' as audience,
    customer_id,
    'answered ' || cast(nps_score as varchar) || ' on ' || cast(nps_answer_date as varchar) as why,
    cast(nps_answer_date as varchar) as entry_key
from {{ ref('customer_satisfaction') }}
where nps_group is not null
