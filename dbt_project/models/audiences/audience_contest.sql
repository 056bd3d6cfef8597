-- Of the messages that are due to one person on a channel the most valuable is handed out, unless the day is quiet or
-- the channel's cap is reached. The others wait, and say why.
with

due as (

    select
        *,
        row_number() over (partition by customer_id, step_channel order by priority, audience) as place
    from {{ ref('audience_turns') }}
    where is_step_due and not has_left and not is_cooling and refusal is null and step_refusal is null

),

-- A message that is withheld from a holdout takes no other's turn, and would have been sent if none came before it.
first_places as (

    select customer_id, step_channel, audience, place
    from due
    where not is_held_out
    qualify row_number() over (partition by customer_id, step_channel order by place) = 1

)

select
    due.audience,
    due.customer_id,
    case
        when {{ is_quiet_day() }} then 'quiet day'
        when coalesce(pressure.messages_in_window, 0) >= {{ cap_of('due.step_channel') }} then 'capped'
        when first_places.place < due.place then 'outranked'
    end as waits_why,
    case when first_places.place < due.place then first_places.audience end as comes_first
from due
left join first_places
    on
        due.customer_id = first_places.customer_id
        and due.step_channel = first_places.step_channel
left join {{ ref('customer_pressure') }} as pressure
    on
        due.customer_id = pressure.customer_id
        and due.step_channel = pressure.channel
