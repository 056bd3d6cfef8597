-- What becomes of every candidate today. Who has entered stays a member while the rule holds, also when a message has
-- to wait; who has not enters with the first message.
with

judged as (

    select
        turns.*,
        contest.audience is not null and contest.waits_why is null as is_first,
        case
            when turns.is_step_due then coalesce(turns.step_refusal, contest.waits_why)
        end as waits_why,
        contest.comes_first
    from {{ ref('audience_turns') }} as turns
    left join {{ ref('audience_contest') }} as contest
        on
            turns.audience = contest.audience
            and turns.customer_id = contest.customer_id

)

select
    audience,
    customer_id,
    channel,
    why,
    entry_key,
    case
        when refusal is not null then refusal
        when has_left then 'has ordered since'
        when is_held_out then 'held out'
        when is_cooling then 'cooling down'
        when entered_on is null then waits_why
    end as excluded_why,
    waits_why,
    case when waits_why = 'outranked' then comes_first end as outranked_by,
    coalesce(entered_on, case when is_first then {{ as_of_date() }} end) as entered_on,
    case when is_step_due then step end as step,
    case when is_step_due then step_channel end as step_channel,
    case when is_step_due then template end as template,
    is_first and not is_held_out as is_due,
    is_first and is_held_out as is_withheld
from judged
