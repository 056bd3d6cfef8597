-- Recent buyers who have not been asked for their opinion lately.
with

bought as (

    select customer_id, max(order_date) as order_date
    from {{ ref('fct_orders') }}
    where
        is_purchase
        and {{ days_between('order_date', as_of_date()) }}
        between {{ rule('audiences.feedback_from_days') }} and {{ rule('audiences.feedback_to_days') }}
    group by customer_id

),

-- Survey tools tell of answers, few of them of those who did not: a request that was sent counts as well.
asked as (

    select customer_id, {{ local_date('coalesce(sent_at, answered_at)') }} as asked_date
    from {{ ref('fct_survey_responses') }}

    union all

    select customer_id, {{ local_date('occurred_at') }} as asked_date
    from {{ ref('fct_messages') }}
    where audience = 'feedback_request' and event = 'sent'

    union all

    select customer_id, as_of_date as asked_date
    from {{ ref('fct_sends') }}
    where audience = 'feedback_request' and test_group = 'member'

),

surveyed as (

    select distinct customer_id
    from asked
    where
        customer_id is not null
        and asked_date > {{ days_before(as_of_date(), rule('audiences.feedback_rest_days')) }}

)

select
    'feedback_request' as audience,
    bought.customer_id,
    'bought on ' || cast(bought.order_date as varchar) || ', not asked in the last '
    || '{{ rule("audiences.feedback_rest_days") }} days' as why,
    cast(bought.order_date as varchar) as entry_key
from bought
left join surveyed on bought.customer_id = surveyed.customer_id
where surveyed.customer_id is null
