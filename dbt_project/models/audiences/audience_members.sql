-- Who is in each audience: those who belong to it and may be written to on its channel.
select
    candidates.audience,
    candidates.customer_id,
    candidates.channel,
    candidates.why,
    candidates.entry_key,
    {{ as_of_date() }} as as_of_date
from {{ ref('audience_candidates') }} as candidates
inner join {{ ref('customer_contactability') }} as contactability
    on
        candidates.customer_id = contactability.customer_id
        and candidates.channel = contactability.channel
where contactability.is_contactable
