-- How many are in each audience, how many would be if nothing spoke against it, and how many are sent a message: today,
-- and on the published days before.
select
    audience,
    channel,
    {{ as_of_date() }} as as_of_date,
    {{ count_where('excluded_why is null') }} as members,
    {{ count_where('excluded_why is not null') }} as excluded,
    {{ count_where('is_due') }} as due
from {{ ref('audience_outcomes') }}
group by audience, channel

union all

select audience, channel, as_of_date, members, excluded, due
from {{ source('registry', 'sizes') }}
