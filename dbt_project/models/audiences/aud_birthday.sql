-- Birthdays of the coming days. Adding whole years turns 29 February into 28 where there is none.
-- A birth in or before the rules' first year is a form's default and not a birthday.
with

this_year as (

    select
        customer_id,
        birth_date,
        cast(
            birth_date
            + to_years(cast(extract(year from {{ as_of_date() }}) - extract(year from birth_date) as integer))
            as date
        ) as birthday
    from {{ ref('dim_customers') }}
    where
        extract(year from birth_date) > {{ rule('audiences.first_birth_year') - 1 }}
        and birth_date <= {{ as_of_date() }}

),

next as (

    select
        customer_id,
        case
            when birthday > {{ as_of_date() }} then birthday
            else cast(birth_date + to_years(
                cast(extract(year from {{ as_of_date() }}) - extract(year from birth_date) as integer) + 1
            ) as date)
        end as birthday
    from this_year

)

select
    'birthday' as audience,
    customer_id,
    'birthday in ' || {{ days_in_words(days_between(as_of_date(), 'birthday')) }} as why,
    cast(extract(year from birthday) as varchar) as entry_key
from next
where {{ days_between(as_of_date(), 'birthday') }} <= {{ rule('audiences.birthday_days_ahead') }}
