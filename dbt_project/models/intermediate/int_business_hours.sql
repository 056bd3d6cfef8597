-- The opening hours of every day of the calendar as instants, and how many seconds the business
-- was open before the day: what lies between two instants is then a difference, however far they are apart. A day on
-- which the clocks change has the hours that it really had.
with

hours as (

    select
        days.day,
        weekly.opens_at as opens,
        {{ utc_instant("cast(cast(days.day as varchar) || ' ' || weekly.opens_at as timestamp)") }} as opens_at,
        -- No clock shows 24:00: it is the next day's midnight.
        case
            when weekly.closes_at = '24:00'
                then {{ utc_instant("cast(days.day + interval '1' day as timestamp)") }}
            else {{ utc_instant("cast(cast(days.day as varchar) || ' ' || weekly.closes_at as timestamp)") }}
        end as closes_at
    from {{ ref('int_calendar') }} as days
    left join {{ ref('int_holidays') }} as holidays on days.day = holidays.holiday_date
    left join {{ ref('int_weekly_hours') }} as weekly
        on
            {{ weekday('days.day') }} = weekly.weekday
            and holidays.holiday_date is null

),

measured as (

    select
        day,
        opens_at,
        coalesce({{ seconds_between('opens_at', 'closes_at') }}, 0) as seconds
    from hours

),

final as (

    select
        day,
        opens_at,
        cast(seconds as bigint) as seconds,
        cast(
            coalesce(
                sum(seconds) over (order by day asc range between unbounded preceding and interval '1' day preceding), 0
            ) as bigint
        ) as seconds_before
    from measured

)

select * from final
