-- The messages of today: those to be handed out, and those that are withheld to compare.
select
    audience,
    customer_id,
    entry_key,
    step,
    step_channel as channel,
    template,
    case when is_due then 'member' else 'holdout' end as test_group,
    {{ as_of_date() }} as as_of_date
from {{ ref('audience_outcomes') }}
where is_due or is_withheld
