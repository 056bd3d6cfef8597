-- One audience for promoters, passives and detractors, by a customer's latest answer within the year.
with

latest as (

    select customer_id, nps_group, score, answer_date
    from {{ ref('fct_survey_responses') }}
    where
        nps_group is not null
        and customer_id is not null
        and answer_date > {{ days_before(as_of_date(), rule('lifecycle.satisfaction_days')) }}
    qualify row_number() over (partition by customer_id order by answered_at desc, response_id desc, source desc) = 1

)

select
    'nps_' || nps_group || 's' as audience,
    customer_id,
    'answered ' || cast(score as varchar) || ' on ' || cast(answer_date as varchar) as why,
    cast(answer_date as varchar) as entry_key
from latest
