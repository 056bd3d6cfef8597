-- Every day from the first order or ticket to the as-of date.
with recursive

first_days as (

    select min(order_date) as day from {{ ref('int_orders_valued') }}

    union all

    select min(opened_date) as day from {{ ref('stg_tickets') }}

),

first_day as (

    select min(day) as day from first_days

),

days (day) as (

    select day from first_day
    where day is not null

    union all

    select cast(day + interval '1' day as date) from days
    where day < {{ as_of_date() }}

)

select day from days
