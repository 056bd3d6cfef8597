-- Who would be in each audience and why they are not.
select
    candidates.audience,
    candidates.customer_id,
    candidates.channel,
    coalesce(contactability.reason, 'no consent') as reason,
    {{ as_of_date() }} as as_of_date
from {{ ref('audience_candidates') }} as candidates
left join {{ ref('customer_contactability') }} as contactability
    on
        candidates.customer_id = contactability.customer_id
        and candidates.channel = contactability.channel
where coalesce(not contactability.is_contactable, true)
