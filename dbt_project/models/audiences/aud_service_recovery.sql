-- People to make it up to: a complaint was resolved lately, or a detractor has not been answered.
with

-- With another complaint still open nothing is made up for yet.
complaints as (

    select
        tickets.customer_id,
        max({{ local_date('tickets.resolved_at') }}) as happened_date,
        'a complaint was resolved on ' as what
    from {{ ref('fct_tickets') }} as tickets
    left join {{ ref('customer_satisfaction') }} as satisfaction on tickets.customer_id = satisfaction.customer_id
    where
        tickets.kind = 'complaint'
        and tickets.customer_id is not null
        and {{ local_date('tickets.resolved_at') }} > {{ days_before(as_of_date(), rule('audiences.recovery_days')) }}
        and not coalesce(satisfaction.has_open_complaint, false)
    group by tickets.customer_id

),

-- The latest answer decides: who has come round since is no detractor any more. What was resolved without a reply was
-- answered by that.
detractors as (

    select
        satisfaction.customer_id,
        satisfaction.nps_answer_date as happened_date,
        'a detractor not answered since ' as what
    from {{ ref('customer_satisfaction') }} as satisfaction
    left join {{ ref('fct_tickets') }} as tickets
        on
            satisfaction.customer_id = tickets.customer_id
            and satisfaction.nps_answered_at < coalesce(tickets.first_replied_at, tickets.resolved_at)
    where
        satisfaction.nps_group = 'detractor'
        and satisfaction.nps_answer_date > {{ days_before(as_of_date(), rule('nps.window_days')) }}
        and tickets.ticket_id is null

),

causes as (

    select * from complaints
    union all
    select * from detractors

)

select
    'service_recovery' as audience,
    customer_id,
    what || cast(happened_date as varchar) as why,
    cast(happened_date as varchar) as entry_key
from causes
qualify row_number() over (partition by customer_id order by happened_date desc, what asc) = 1
