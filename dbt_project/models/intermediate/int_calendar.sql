-- Every day from the first order to the as-of date.
with recursive

first_day as (

    select min(order_date) as day from {{ ref('int_orders_valued') }}

),

days (day) as (

    select day from first_day
    where day is not null

    union all

    select cast(day + interval '1' day as date) from days
    where day < {{ as_of_date() }}

)

select day from days
