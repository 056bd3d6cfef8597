-- How many came to each audience, left it and stayed, against the published day before; and so on the days before.
with

previous as (

    select distinct
        members.audience,
        coalesce(aliases.customer_id, members.customer_id) as customer_id
    from {{ source('registry', 'members') }} as members
    left join {{ ref('customer_id_aliases') }} as aliases on members.customer_id = aliases.customer_id_before

),

previous_day as (

    select max(as_of_date) as as_of_date from {{ source('registry', 'members') }}

),

compared as (

    select
        coalesce(members.audience, previous.audience) as audience,
        members.customer_id is not null as is_member,
        previous.customer_id is not null as was_member
    from {{ ref('audience_members') }} as members
    full outer join previous
        on
            members.audience = previous.audience
            and members.customer_id = previous.customer_id

)

select
    compared.audience,
    {{ as_of_date() }} as as_of_date,
    previous_day.as_of_date as previous_date,
    {{ count_where('compared.is_member and not compared.was_member') }} as n_entered,
    {{ count_where('compared.was_member and not compared.is_member') }} as n_left,
    {{ count_where('compared.is_member and compared.was_member') }} as n_stayed
from compared
cross join previous_day
where previous_day.as_of_date is not null
group by compared.audience, previous_day.as_of_date

union all

select audience, as_of_date, previous_date, n_entered, n_left, n_stayed
from {{ source('registry', 'movements') }}
