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

surveyed as (

    select distinct customer_id
    from {{ ref('fct_survey_responses') }}
    where
        customer_id is not null
        and {{ local_date('coalesce(sent_at, answered_at)') }}
        > {{ days_before(as_of_date(), rule('audiences.feedback_rest_days')) }}

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
