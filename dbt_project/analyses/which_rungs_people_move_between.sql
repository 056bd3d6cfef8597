-- Which rungs of the ladder do people move between?
--
-- How to read: the last `months` months that are over, added up. Of the customer-months that began on
-- `from_rung_name`, how many ended on `to_rung_name`, and the share. `direction` tells climbing from falling.
-- Mind: only where people stood at the ends of months is compared, so somebody who went up and down within one is not
-- seen. customer.customer_lifecycle_history has every stay.
with

question as (

    select 6 as months

),

latest as (

    select rung_transitions.*
    from metrics.rung_transitions
    cross join question
    qualify dense_rank() over (order by rung_transitions.month desc) <= question.months

),

moves as (

    select
        from_rung,
        from_rung_name,
        to_rung,
        to_rung_name,
        sum(customers) as customers,
        sum(customers_before) as customers_before
    from latest
    group by from_rung, from_rung_name, to_rung, to_rung_name

)

select
    from_rung_name,
    to_rung_name,
    case
        when from_rung is null then 'new'
        when to_rung > from_rung then 'up'
        when to_rung < from_rung then 'down'
        else 'stays'
    end as direction,
    customers,
    round(customers / nullif(customers_before, 0), 4) as share
from moves
where customers > 0
order by from_rung nulls first, to_rung
