-- The business's calendar: what kind of day each was.
with

hours as (

    select day, sum(seconds) as open_seconds
    from {{ ref('int_business_hours') }}
    group by day

),

final as (

    select
        calendar.day as date_day,
        cast(date_trunc('week', calendar.day) as date) as week_start,
        cast(date_trunc('month', calendar.day) as date) as month_start,
        cast(date_trunc('quarter', calendar.day) as date) as quarter_start,
        cast(extract(year from calendar.day) as integer) as year,
        {{ weekday('calendar.day') }} as weekday,
        holidays.holiday_date is not null as is_holiday,
        {{ whole_minutes('hours.open_seconds') }} as open_minutes
    from {{ ref('int_calendar') }} as calendar
    inner join hours on calendar.day = hours.day
    left join {{ ref('int_holidays') }} as holidays on calendar.day = holidays.holiday_date

)

select * from final
