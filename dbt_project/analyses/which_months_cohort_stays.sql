-- Which month's new customers stay?
--
-- How to read: one row per month of the first purchase. `retained` counts customer-months with a purchase, of all
-- months since that are over, up to `months`; `expected` is what it would be had the cohort bought as the average of
-- all cohorts did at the same age. `index` above 1: it stays better than others of its age.
-- Mind: a young cohort rests on few months, a small one on few people. Somebody who buys twice a month counts once.
with

question as (

    select 12 as months

),

elapsed as (

    select
        cohorts.cohort_month,
        cohorts.months_since,
        cohorts.customers,
        cohorts.retained
    from metrics.retention_cohorts as cohorts
    cross join question
    where cohorts.months_since between 1 and question.months and cohorts.retained is not null

),

at_age as (

    select
        months_since,
        sum(retained) / sum(customers) as rate
    from elapsed
    group by months_since

),

cohorts as (

    select
        elapsed.cohort_month,
        max(elapsed.customers) as customers,
        max(elapsed.months_since) as months_observed,
        max(elapsed.retained) filter (where elapsed.months_since = 1) as retained_month_1,
        sum(elapsed.retained) as retained,
        sum(elapsed.customers * at_age.rate) as expected
    from elapsed
    inner join at_age on elapsed.months_since = at_age.months_since
    group by elapsed.cohort_month

)

select
    cohort_month,
    customers,
    months_observed,
    round(retained_month_1 / customers, 4) as rate_month_1,
    retained,
    round(expected, 1) as expected,
    round(retained / nullif(expected, 0), 2) as index
from cohorts
order by retained / nullif(expected, 0) desc, cohort_month
