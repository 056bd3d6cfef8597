-- How many members two audiences have in common.
with

members as (

    select audience, customer_id from {{ ref('audience_members') }}

),

sizes as (

    select audience, count(*) as n_members
    from members
    group by audience

),

pairs as (

    select
        members.audience,
        others.audience as other_audience,
        cast(count(*) as integer) as customers
    from members
    inner join members as others on members.customer_id = others.customer_id
    where members.audience <> others.audience
    group by members.audience, others.audience

)

select
    pairs.audience,
    pairs.other_audience,
    pairs.customers,
    {{ share('pairs.customers', 'sizes.n_members') }} as share
from pairs
inner join sizes on pairs.audience = sizes.audience
