-- Where do detractors come from?
--
-- How to read: the latest NPS answer of each customer in the last `days`, by what is known of the customer and of the
-- answer. `detractor_share` is theirs within the group, `share_of_detractors` the group's among all detractors;
-- `points` is how many percentage points the group lies above (worse) or below the average.
-- Mind: groups of fewer than `minimum` answers are left out. A group that stands out may do so for another reason:
-- look at several dimensions before you blame one.
with

question as (

    select
        max(as_of_date) as as_of_date,
        365 as days,
        10 as minimum
    from metrics.source_freshness

),

answers as (

    select
        fct_survey_responses.*,
        fct_survey_responses.nps_group = 'detractor' as is_detractor
    from core.fct_survey_responses
    cross join question
    where
        fct_survey_responses.kind = 'nps'
        and fct_survey_responses.score is not null
        and fct_survey_responses.customer_id is not null
        and fct_survey_responses.answer_date > question.as_of_date - question.days
    qualify row_number() over (
        partition by fct_survey_responses.customer_id
        order by
            fct_survey_responses.answered_at desc, fct_survey_responses.source asc, fct_survey_responses.response_id asc
    ) = 1

),

known as (

    select
        answers.customer_id,
        answers.is_detractor,
        answers.touchpoint,
        customers.acquisition_channel,
        customers.city,
        customers.rung_name as rung,
        customers.segment,
        orders.channel as order_channel,
        case when answers.linked_ticket_id is null then 'no' else 'yes' end as has_recent_ticket
    from answers
    inner join customer.customer_360 as customers on answers.customer_id = customers.customer_id
    left join core.fct_orders as orders
        on answers.linked_order_source = orders.source and answers.linked_order_id = orders.order_id

),

unpivoted as (

    select
        dimension,
        dimension_value,
        is_detractor
    from known
    unpivot include nulls (
        dimension_value for dimension in (
            touchpoint, acquisition_channel, city, rung, segment, order_channel, has_recent_ticket
        )
    )

),

overall as (

    select
        count(*) filter (where is_detractor) as detractors,
        avg(cast(is_detractor as integer)) as detractor_share
    from known

),

found as (

    select
        dimension,
        coalesce(dimension_value, '(none)') as dimension_value,
        count(*) as answers,
        count(*) filter (where is_detractor) as detractors
    from unpivoted
    group by dimension, coalesce(dimension_value, '(none)')

)

select
    found.dimension,
    found.dimension_value,
    found.answers,
    found.detractors,
    round(found.detractors / found.answers, 4) as detractor_share,
    round(found.detractors / nullif(overall.detractors, 0), 4) as share_of_detractors,
    round(100 * (found.detractors / found.answers - overall.detractor_share), 1) as points
from found
cross join overall
cross join question
where found.answers >= question.minimum
order by points desc, found.dimension asc, found.dimension_value asc
