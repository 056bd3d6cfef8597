-- How far everybody has come who entered an audience with a campaign: what was handed out to them, or withheld.
select
    audience,
    customer_id,
    entry_key,
    min(as_of_date) as entered_on,
    max(as_of_date) as last_handed_on,
    max(step) as last_step,
    bool_or(test_group = 'holdout') as is_held_out
from {{ ref('fct_sends') }}
group by audience, customer_id, entry_key
