-- What does the birthday campaign return, for what it costs?
--
-- How to read: one row per number of days after the entry. `net_value_per_member` is what a member spends more than
-- one who was held out; times the margin that is what the campaign earns. `return_per_member` takes off what its
-- messages cost; times `members` it is the whole.
-- Mind: nothing is there before campaigns have run as long as rules.uplift.after_days. A message costs what one costs
-- on average (metrics.contact_economics); the margin is the business's average, too. Where the interval includes 0,
-- the return may as well be nothing.
with

uplift as (

    select *
    from metrics.audience_uplift
    where audience = 'birthday' and measure = 'net_value'

),

economics as (

    select
        margin / nullif(net_value, 0) as margin_share,
        cost_per_message
    from metrics.contact_economics
    where dimension = 'all'

),

sends as (

    select
        count(*) as messages,
        count(distinct concat_ws(' ', customer_id, entry_key)) as entries
    from core.fct_sends
    where audience = 'birthday' and test_group = 'member'

),

per_member as (

    select
        uplift.*,
        economics.margin_share,
        sends.messages / nullif(sends.entries, 0) * economics.cost_per_message as cost_per_member
    from uplift
    cross join economics
    cross join sends

)

select
    days,
    members,
    holdouts,
    difference as net_value_per_member,
    ci_low,
    ci_high,
    round(difference * margin_share, 2) as margin_per_member,
    round(cost_per_member, 2) as cost_per_member,
    round(difference * margin_share - cost_per_member, 2) as return_per_member,
    round((difference * margin_share - cost_per_member) * members, 2) as return_of_all
from per_member
order by days
