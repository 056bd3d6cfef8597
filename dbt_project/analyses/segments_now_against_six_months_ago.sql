-- How do the RFM segments stand against six months ago, and who came and went?
--
-- How to read: one row per segment. `customers_then` is at the last month end that is at least `months` ago,
-- `customers_now` on the as-of date; `stayed` were in it both times, `came` and `went` add up to the change.
-- `came_mostly_from` is where most of those who came were then.
-- Mind: the cut points move with the customers, so a segment may shrink without anybody having changed;
-- customer_segment_moves tells for each move whose doing it was. Without so long a history the first day that there
-- is is compared with.
with

question as (

    select
        max(as_of_date) as as_of_date,
        6 as months
    from metrics.source_freshness

),

days as (

    select
        question.as_of_date as now_date,
        coalesce(
            max(history.as_of_date) filter (
                where history.as_of_date <= question.as_of_date - to_months(question.months)
            ),
            min(history.as_of_date)
        ) as then_date
    from customer.customer_rfm_history as history
    cross join question
    group by question.as_of_date

),

both_days as (

    select
        history.customer_id,
        max(history.segment) filter (where history.as_of_date = days.then_date) as segment_then,
        max(history.segment) filter (where history.as_of_date = days.now_date) as segment_now,
        days.then_date
    from customer.customer_rfm_history as history
    cross join days
    where history.as_of_date in (days.then_date, days.now_date)
    group by history.customer_id, days.then_date

),

segments as (

    select segment_then as segment
    from both_days
    where segment_then is not null
    union
    select segment_now
    from both_days
    where segment_now is not null

),

origins as (

    select
        segment_now as segment,
        coalesce(segment_then, '(none)') as came_from
    from both_days
    where segment_now is distinct from segment_then
    group by segment_now, coalesce(segment_then, '(none)')
    qualify row_number() over (partition by segment_now order by count(*) desc, coalesce(segment_then, '(none)')) = 1

)

select
    segments.segment,
    both_days.then_date,
    count(*) filter (where both_days.segment_then = segments.segment) as customers_then,
    count(*) filter (where both_days.segment_now = segments.segment) as customers_now,
    count(*) filter (where both_days.segment_then = both_days.segment_now) as stayed,
    count(*) filter (where both_days.segment_then is distinct from segments.segment) as came,
    count(*) filter (where both_days.segment_now is distinct from segments.segment) as went,
    origins.came_from as came_mostly_from
from segments
inner join both_days on segments.segment in (both_days.segment_then, both_days.segment_now)
left join origins on segments.segment = origins.segment
group by segments.segment, both_days.then_date, origins.came_from
order by customers_now desc, segments.segment asc
