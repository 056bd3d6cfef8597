-- How far everybody has come who entered an audience with a campaign: what was handed out to them, or withheld. A
-- campaign may have been changed since: a step is where its template is today, and where it was if that is gone.
select
    sends.audience,
    sends.customer_id,
    sends.entry_key,
    min(sends.as_of_date) as entered_on,
    max(sends.as_of_date) as last_handed_on,
    max(coalesce(steps.step, sends.step)) as last_step,
    bool_or(sends.test_group = 'holdout') as is_held_out
from {{ ref('fct_sends') }} as sends
left join {{ ref('audience_steps') }} as steps
    on
        sends.audience = steps.audience
        and sends.template = steps.template
group by sends.audience, sends.customer_id, sends.entry_key
