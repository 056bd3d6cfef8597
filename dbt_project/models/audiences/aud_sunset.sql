-- People who agreed once and have not stirred since: stop mailing them.
with

last_seen as (

    select
        customer_id,
        greatest(
            coalesce(last_engaged_date, as_of_date - current_gap_days),
            coalesce(as_of_date - current_gap_days, last_engaged_date)
        ) as seen_date
    from {{ ref('customer_lifecycle') }}
    where has_opted_in

)

select
    'sunset' as audience,
    customer_id,
    'no open, click, visit or order since ' || cast(seen_date as varchar) as why,
    cast(seen_date as varchar) as entry_key
from last_seen
where seen_date <= {{ days_before(as_of_date(), rule('audiences.sunset_days')) }}
