-- The ladder before the first purchase: every day on which consent or interest changed, with both as they stood then.
with

starts as (

    select * from {{ ref('int_lifecycle_starts') }}
    where first_purchase_date is null or first_purchase_date > starts_on

),

changes as (

    select customer_id, starts_on as day, cast(null as boolean) as has_opted_in, cast(null as boolean) as has_engaged
    from starts

    union all

    select customer_id, day, has_opted_in, cast(null as boolean) as has_engaged
    from {{ ref('int_opt_in_changes') }}

    union all

    select customer_id, day, cast(null as boolean) as has_opted_in, has_engaged
    from {{ ref('int_engagement_changes') }}

),

days as (

    select
        changes.customer_id,
        changes.day,
        starts.starts_on,
        bool_or(changes.has_opted_in) as has_opted_in,
        bool_or(changes.has_engaged) as has_engaged
    from changes
    inner join starts on changes.customer_id = starts.customer_id
    where
        changes.day <= {{ as_of_date() }}
        and (starts.first_purchase_date is null or changes.day < starts.first_purchase_date)
    group by changes.customer_id, changes.day, starts.starts_on

),

final as (

    select
        days.customer_id,
        greatest(days.day, days.starts_on) as day,
        coalesce(
            last_value(days.has_opted_in ignore nulls) over (partition by days.customer_id order by days.day), false
        ) as has_opted_in,
        coalesce(
            last_value(days.has_engaged ignore nulls) over (partition by days.customer_id order by days.day), false
        ) as has_engaged
    from days
    -- What happened before the first day is told once, as it stood on that day.
    qualify row_number() over (
        partition by days.customer_id, greatest(days.day, days.starts_on) order by days.day desc
    ) = 1

)

select * from final
