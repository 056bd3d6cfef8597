-- How long the first answer to a ticket and its resolution took, until now where they are still to come: in seconds of
-- the calendar and of business hours. What is dated before its ticket was opened took no time.
with

moments as (

    select source, ticket_id, 'opened' as moment, opened_at, opened_at as happened_at
    from {{ ref('stg_tickets') }}

    union all

    select source, ticket_id, 'answered', opened_at, coalesce(first_replied_at, resolved_at, {{ as_of_end() }})
    from {{ ref('stg_tickets') }}

    union all

    select source, ticket_id, 'resolved', opened_at, coalesce(resolved_at, {{ as_of_end() }})
    from {{ ref('stg_tickets') }}

),

dated as (

    select
        source,
        ticket_id,
        moment,
        opened_at,
        greatest(happened_at, opened_at) as happened_at,
        least({{ local_date('greatest(happened_at, opened_at)') }}, {{ as_of_date() }}) as day
    from moments

),

-- Seconds since the business began to count, at each moment.
clocked as (

    select
        dated.source,
        dated.ticket_id,
        dated.moment,
        {{ seconds_between('dated.opened_at', 'dated.happened_at') }} as seconds,
        max(hours.seconds_before) + sum(
            greatest(least(coalesce({{ seconds_between('hours.opens_at', 'dated.happened_at') }}, 0), hours.seconds), 0)
        ) as business_clock
    from dated
    inner join {{ ref('int_business_hours') }} as hours on dated.day = hours.day
    group by dated.source, dated.ticket_id, dated.moment, dated.opened_at, dated.happened_at

),

final as (

    select
        source,
        ticket_id,
        cast(max(case when moment = 'answered' then seconds end) as bigint) as answer_seconds,
        cast(max(case when moment = 'resolved' then seconds end) as bigint) as resolution_seconds,
        cast(
            max(case when moment = 'answered' then business_clock end)
            - max(case when moment = 'opened' then business_clock end) as bigint
        ) as answer_business_seconds,
        cast(
            max(case when moment = 'resolved' then business_clock end)
            - max(case when moment = 'opened' then business_clock end) as bigint
        ) as resolution_business_seconds
    from clocked
    group by source, ticket_id

)

select * from final
