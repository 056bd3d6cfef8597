-- People to make it up to: a complaint was resolved lately, or a detractor has not been answered.
with

complaints as (

    select
        customer_id,
        max({{ local_date('resolved_at') }}) as happened_date,
        'a complaint was resolved on ' as what
    from {{ ref('fct_tickets') }}
    where
        kind = 'complaint'
        and customer_id is not null
        and {{ local_date('resolved_at') }} > {{ days_before(as_of_date(), rule('audiences.recovery_days')) }}
    group by customer_id

),

-- The latest answer decides: who has come round since is no detractor any more.
latest as (

    select customer_id, nps_group, answered_at, answer_date
    from {{ ref('fct_survey_responses') }}
    where
        nps_group is not null
        and customer_id is not null
        and answer_date > {{ days_before(as_of_date(), rule('nps.window_days')) }}
    qualify row_number() over (partition by customer_id order by answered_at desc, response_id desc, source desc) = 1

),

detractors as (

    select
        latest.customer_id,
        latest.answer_date as happened_date,
        'a detractor not answered since ' as what
    from latest
    left join {{ ref('fct_tickets') }} as tickets
        on
            latest.customer_id = tickets.customer_id
            and latest.answered_at < tickets.first_replied_at
    where latest.nps_group = 'detractor' and tickets.ticket_id is null

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
