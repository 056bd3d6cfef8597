-- Birthdays of the coming days.
with

birthdays as (

    select customer_id, {{ next_birthday('birth_date') }} as birthday
    from {{ ref('dim_customers') }}

)

select
    'birthday' as audience,
    customer_id,
    'birthday in ' || {{ days_in_words(days_between(as_of_date(), 'birthday')) }} as why,
    cast(extract(year from birthday) as varchar) as entry_key
from birthdays
where {{ days_between(as_of_date(), 'birthday') }} <= {{ rule('audiences.birthday_days_ahead') }}
