-- How many are in each audience, and how many would be if they could be written to.
with

members as (

    select audience, channel, cast(count(*) as integer) as members
    from {{ ref('audience_members') }}
    group by audience, channel

),

exclusions as (

    select audience, channel, cast(count(*) as integer) as excluded
    from {{ ref('audience_exclusions') }}
    group by audience, channel

)

select
    coalesce(members.audience, exclusions.audience) as audience,
    coalesce(members.channel, exclusions.channel) as channel,
    {{ as_of_date() }} as as_of_date,
    coalesce(members.members, 0) as members,
    coalesce(exclusions.excluded, 0) as excluded
from members
full outer join exclusions
    on
        members.audience = exclusions.audience
        and members.channel = exclusions.channel
