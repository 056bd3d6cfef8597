-- People who agreed once and have not stirred since: stop mailing them. Agreeing was a sign of life too, so that
-- those who never opened anything go as well, but not before they had the time.
with

signs_of_life as (

    select customer_id, last_engaged_date as seen_date
    from {{ ref('customer_lifecycle') }}

    union all

    select customer_id, order_date as seen_date
    from {{ ref('fct_orders') }}

    union all

    select customer_id, {{ local_date('status_at') }} as seen_date
    from {{ ref('fct_consents') }}
    where status = 'granted' and purpose = 'marketing'

),

last_seen as (

    select lifecycle.customer_id, max(signs_of_life.seen_date) as seen_date
    from {{ ref('customer_lifecycle') }} as lifecycle
    inner join signs_of_life on lifecycle.customer_id = signs_of_life.customer_id
    where lifecycle.has_opted_in
    group by lifecycle.customer_id

)

select
    'sunset' as audience,
    customer_id,
    'no open, click, visit or order since ' || cast(seen_date as varchar) as why,
    cast(seen_date as varchar) as entry_key
from last_seen
where seen_date <= {{ days_before(as_of_date(), rule('audiences.sunset_days')) }}
