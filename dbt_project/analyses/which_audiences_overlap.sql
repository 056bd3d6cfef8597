-- Which audiences are largely the same people?
--
-- How to read: each pair of audiences that have members in common, once. `share_of_smaller` near 1: the smaller one
-- lies within the other. `jaccard` is what they have in common among all who are in either: near 1, they are the same
-- list.
-- Mind: it is of members, so people whom consent or a cap keeps out are not in it. Of two campaigns that overlap, the
-- one with the lower priority number writes first (audiences.audience_exclusions says who was outranked).
with

question as (

    select max(as_of_date) as as_of_date
    from metrics.source_freshness

),

sizes as (

    select
        audience_sizes.audience,
        audience_sizes.members
    from audiences.audience_sizes
    inner join question on audience_sizes.as_of_date = question.as_of_date

)

select
    pairs.audience,
    pairs.other_audience,
    own.members,
    other.members as other_members,
    pairs.customers as in_both,
    round(pairs.customers / least(own.members, other.members), 4) as share_of_smaller,
    round(pairs.customers / (own.members + other.members - pairs.customers), 4) as jaccard
from audiences.audience_overlap as pairs
inner join sizes as own on pairs.audience = own.audience
inner join sizes as other on pairs.other_audience = other.audience
where pairs.audience < pairs.other_audience
order by jaccard desc, pairs.audience asc, pairs.other_audience asc
