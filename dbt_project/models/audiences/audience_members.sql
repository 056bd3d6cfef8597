-- Who is in each audience, and what is to be sent to them today.
select
    audience,
    customer_id,
    channel,
    why,
    entry_key,
    {{ as_of_date() }} as as_of_date,
    entered_on,
    step,
    template,
    is_due,
    waits_why as postponed_why
from {{ ref('audience_outcomes') }}
where excluded_why is null
