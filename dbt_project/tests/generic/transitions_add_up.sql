{# In each month the row of a rung holds who stood on it when the month began, and the column of a rung who stood on it
   when the month was over, as the stays have it. Rows are months and rungs of which that is not so. #}
{% test transitions_add_up(model, stays) %}
with

moves as (

    select
        month,
        from_rung,
        to_rung,
        customers,
        {{ days_before('month', 1) }} as day_before,
        cast({{ days_before("month + interval '1' month", 1) }} as date) as last_day
    from {{ model }}

),

sums as (

    select month, day_before as day, from_rung as rung, sum(customers) as customers
    from moves
    where from_rung is not null
    group by month, day_before, from_rung

    union all

    select month, last_day as day, to_rung as rung, sum(customers) as customers
    from moves
    group by month, last_day, to_rung

),

counted as (

    select sums.month, sums.day, sums.rung, sums.customers, count(stays.customer_id) as standing
    from sums
    left join {{ stays }} as stays
        on sums.rung = stays.rung
        and stays.valid_from <= sums.day
        and (stays.valid_to is null or stays.valid_to > sums.day)
    group by sums.month, sums.day, sums.rung, sums.customers

)

select * from counted
where customers <> standing
{% endtest %}
