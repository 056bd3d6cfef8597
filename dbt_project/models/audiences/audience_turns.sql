-- Where every candidate stands: the entry, the step that is next, and what speaks against it whatever else there is.
-- Lists have none of it: who may be contacted is on them.
with

candidates as (

    select * from {{ ref('audience_candidates') }}

),

entries as (

    select * from {{ ref('audience_entries') }}

),

-- Who enters anew rests first, from the last message of the entries before.
rests as (

    select audience, customer_id, max(last_handed_on) as last_handed_on
    from entries
    group by audience, customer_id

),

orders as (

    select customer_id, max(order_date) as last_order_date
    from (
        select customer_id, order_date from {{ ref('fct_orders') }}
        union all
        select customer_id, {{ days_after('as_of_date', 1) }} as order_date from {{ ref('customer_late_orders') }}
    ) as known
    group by customer_id

)

select
    candidates.audience,
    candidates.customer_id,
    candidates.channel,
    candidates.why,
    candidates.entry_key,
    campaigns.priority,
    entries.entered_on,
    steps.step,
    steps.channel as step_channel,
    steps.template,
    case
        when not coalesce(own.is_contactable, false) then coalesce(own.reason, 'no consent')
        when campaigns.audience is not null and entries.entered_on is null and steps.step is null
            then 'campaign is not ready'
    end as refusal,
    case when not coalesce(of_step.is_contactable, false) then coalesce(of_step.reason, 'no consent') end
        as step_refusal,
    coalesce(entries.is_held_out, false)
    or coalesce(
        {{ draw("candidates.audience || ':' || campaigns.holdout_salt || ':' || candidates.customer_id") }}
        < campaigns.holdout_below,
        false
    ) as is_held_out,
    coalesce(
        steps.leaves_when = 'ordered'
        and orders.last_order_date > coalesce(entries.entered_on, {{ as_of_date() }}),
        false
    ) as has_left,
    coalesce(
        entries.entered_on is null
        and {{ days_between('rests.last_handed_on', as_of_date()) }} < campaigns.cooldown_days,
        false
    ) as is_cooling,
    coalesce(
        {{ days_between('coalesce(entries.entered_on, ' ~ as_of_date() ~ ')', as_of_date()) }} >= steps.days_after,
        false
    ) as is_step_due
from candidates
left join {{ ref('audience_campaigns') }} as campaigns on candidates.audience = campaigns.audience
left join entries
    on
        candidates.audience = entries.audience
        and candidates.customer_id = entries.customer_id
        and candidates.entry_key = entries.entry_key
left join rests
    on
        candidates.audience = rests.audience
        and candidates.customer_id = rests.customer_id
left join {{ ref('audience_steps') }} as steps
    on
        candidates.audience = steps.audience
        and coalesce(entries.last_step, 0) >= steps.step_before
        and coalesce(entries.last_step, 0) < steps.step
left join orders on candidates.customer_id = orders.customer_id
left join {{ ref('customer_contactability') }} as own
    on
        candidates.customer_id = own.customer_id
        and candidates.channel = own.channel
left join {{ ref('customer_contactability') }} as of_step
    on
        candidates.customer_id = of_step.customer_id
        and steps.channel = of_step.channel
