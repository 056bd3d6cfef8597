"""The SQL that compares lists as they should be with those that were acknowledged; see `changes`.

It reads `listed` (the plan's members and the checksum of their fields), `messages`, `kept`, `wanted` (audiences),
`acknowledged_people`, `acknowledged_lists` and `refusing`, and makes `changes` (`is_no`: takes off somebody who said
no), `list_counts` and `people` (counts, of one row).
"""

from __future__ import annotations

_COUNTS = """
create or replace temp table list_counts as
select
    list_name,
    count(*) filter (where was_on) as before,
    count(*) filter (where is_on and not was_on) as added,
    count(*) filter (where was_on and not is_on) as removed,
    count(*) filter (where was_on and is_on and is_changed) as updated,
    count(*) filter (where was_on and is_on and not is_changed) as unchanged,
    count(*) filter (where is_on) as after,
    count(*) filter (where was_on and not is_on and has_said_no) as said_no
from (
    select
        coalesce(desired.list_name, known.list_name) as list_name,
        desired.key is not null as is_on,
        coalesce(known.is_certain, false) as was_on,
        known.key in (select key from refusing) as has_said_no,
        desired.fields_hash is distinct from known.fields_hash as is_changed
    from targets as desired
    full join acknowledged_lists as known on desired.list_name = known.list_name and desired.key = known.key
)
group by list_name;
"""

WHOLE_LISTS = (
    """
create or replace temp table desired as
select audience as list_name, {identity} as key, email as address, cast(null as varchar) as remote_id, listed.*
from listed
where audience in (select audience from wanted)
qualify row_number() over (partition by audience, email order by customer_id) = 1;

create or replace temp table changes as select 'replace' as operation, false as is_no, * from desired;

create or replace temp table targets as select list_name, key, fields_hash from desired;
"""
    + _COUNTS
    + """
create or replace temp table people as
select '' as list_name, 0 as before, 0 as added, 0 as removed, 0 as updated, 0 as unchanged, 0 as after limit 0;
"""
)
"""For destinations that are given whole lists, of audiences: the step that is due is told in each row."""

LISTS = (
    """
-- One address is one person: who is known there by it already, or else the first customer who has it.
create or replace temp table owners as
select
    customers.email as address,
    min(customers.customer_id) as customer_id
from published.core.dim_customers as customers
where customers.email in (select email from listed union all select email from kept)
group by customers.email;

create or replace temp table keys as
with of_tool as (
    select address, min(key) as key from acknowledged_people where address is not null group by address
),

own as (
    select owners.address, owners.customer_id, {identity} as key
    from (select *, address as email from owners) as owners
)

select
    own.address,
    own.customer_id,
    coalesce(of_tool.key, own.key) as key
from own
left join acknowledged_people as own_key on own.key = own_key.key
left join of_tool
    on own.address = of_tool.address and own_key.key is null and of_tool.key not in (select key from own);

-- What is told of each of them: the owner's fields, or those of the first customer who is in the plan.
create or replace temp table persons as
select keys.key, keys.address, listed.* exclude (audience)
from listed
inner join keys on listed.email = keys.address
qualify row_number() over (
    partition by keys.key order by listed.customer_id = keys.customer_id desc, listed.customer_id, listed.audience
) = 1;

-- Who is on the list of a step is so for a day: still on it from another day, they leave it and join it anew.
create or replace temp table desired as
select distinct lists.list_name, keys.key, keys.address, lists.fields_hash
from (
    select audience as list_name, email, cast(null as varchar) as fields_hash
    from listed
    where audience in (select audience from wanted)
    union all
    select
        listed.audience || ':' || cast(messages.step as varchar) as list_name,
        listed.email,
        cast(messages.as_of_date as varchar) as fields_hash
    from messages
    inner join listed on messages.audience = listed.audience and messages.customer_id = listed.customer_id
    where messages.audience in (select audience from wanted)
        and messages.test_group = 'member' and messages.channel = 'email' and messages.step is not null
) as lists
inner join keys on lists.email = keys.address;

-- An audience whose campaign is not fit to be sent gains nobody, and loses only who is not in it any more: were all of
-- them taken off, the tool would begin anew with them once it is fit again. So it is with the lists of its steps.
create or replace temp table staying as
select distinct known.list_name, keys.key
from kept
inner join keys on kept.email = keys.address
inner join acknowledged_lists as known on keys.key = known.key and kept.audience = split_part(known.list_name, ':', 1)
where kept.audience in (select audience from wanted);

create or replace temp table targets as
select list_name, key, fields_hash from desired
union
select staying.list_name, staying.key, known.fields_hash
from staying
inner join acknowledged_lists as known on staying.list_name = known.list_name and staying.key = known.key;

-- The tool is told of those who come onto its lists, and goes on being told of them as long as they are in the plan.
create or replace temp table due_people as
select persons.*, known.key is null as is_new, known.remote_id
from persons
left join acknowledged_people as known on persons.key = known.key
where
    (known.key is not null or persons.key in (select key from desired))
    and (
        known.key is null or known.is_stopped or known.fields_hash is distinct from persons.fields_hash
        or known.address is distinct from persons.address
    );

create or replace temp table changes as
select
    'remove' as operation, known.list_name, known.key, people.address, people.remote_id,
    coalesce(people.customer_id, known.customer_id) as customer_id,
    known.key in (select key from refusing) as is_no
from acknowledged_lists as known
left join acknowledged_people as people on known.key = people.key
anti join desired
    on known.list_name = desired.list_name and known.key = desired.key
        and known.fields_hash is not distinct from desired.fields_hash
anti join staying on known.list_name = staying.list_name and known.key = staying.key
union all by name
select 'stop' as operation, people.key, people.address, people.remote_id, people.customer_id, true as is_no
from acknowledged_people as people
where not people.is_stopped
    and people.key in (select key from refusing where is_news)
    and people.key not in (select key from desired)
union all by name
select 'upsert' as operation, * exclude (is_new) from due_people
union all by name
select
    'add' as operation, desired.list_name, desired.key, desired.address, people.remote_id, keys.customer_id,
    desired.fields_hash
from desired
inner join keys on desired.address = keys.address
left join acknowledged_people as people on desired.key = people.key
anti join (select * from acknowledged_lists where is_certain) as known
    on desired.list_name = known.list_name and desired.key = known.key
        and desired.fields_hash is not distinct from known.fields_hash;
"""
    + _COUNTS
    + """
create or replace temp table people as
select
    '' as list_name,
    (select count(*) from acknowledged_people) as before,
    count(*) filter (where due.is_new) as added,
    0 as removed,
    count(*) filter (where not due.is_new) as updated,
    (select count(*) from acknowledged_people) - updated as unchanged,
    (select count(*) from acknowledged_people) + added as after
from due_people as due;
"""
)
"""For tools that are told of differences: a list for each audience, and for each step that is due today."""
