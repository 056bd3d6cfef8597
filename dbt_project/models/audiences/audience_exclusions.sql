-- Who would be in each audience and why they are not.
select
    audience,
    customer_id,
    channel,
    excluded_why as reason,
    case when excluded_why = 'outranked' then outranked_by end as outranked_by,
    {{ as_of_date() }} as as_of_date
from {{ ref('audience_outcomes') }}
where excluded_why is not null
