{# Who left and who came add up to the segments of both month ends. Rows are months and segments that do not. #}
{% test movements_add_up(model, history) %}
with

told as (

    select cast(month - interval '1' day as date) as day, 'from' as side, from_segment as segment, sum(customers) as customers
    from {{ model }}
    where from_segment <> '(new)'
    group by 1, 2, 3

    union all

    select cast(month + interval '1' month - interval '1' day as date), 'to', to_segment, sum(customers)
    from {{ model }}
    where to_segment <> '(left)'
    group by 1, 2, 3

),

held as (

    select as_of_date as day, segment_by_scores as segment, count(*) as customers
    from {{ history }}
    group by 1, 2

)

select told.day, told.side, told.segment, told.customers, held.customers as held
from told
left join held on told.day = held.day and told.segment = held.segment
where held.customers is null or told.customers <> held.customers

union all

select held.day, 'missing', held.segment, null, held.customers
from held
where
    held.day in (select told.day from told where told.side = 'from')
    and not exists (
        select 1 from told
        where told.day = held.day and told.segment = held.segment and told.side = 'from'
    )
{% endtest %}
