-- What is published of {customers} customers, as far as the page reads it: in the order in which publishing lays it, so
-- that nothing has to be sorted. All of it comes from `draw`, plain arithmetic that no version of the engine changes.

create macro mix(x) as (xor(x, x >> 16) * 73244475) % 4294967296;
create macro draw(i, stream) as
    mix(mix((cast(i as bigint) * 2654435761 + stream * 2654404609) % 4294967296)) / 4294967296.0;
create macro upto(i, stream, most) as cast(floor(draw(i, stream) * most) as integer);
create macro picked(i, stream, items) as items[1 + upto(i, stream, len(items))];
create macro ago(i, stream, days) as date '{day}' - upto(i, stream, days);
create macro moment_of(i, stream, days) as timestamp '{day} 12:00:00' - to_seconds(upto(i, stream, days * 86400));
create macro rung_name(rung) as ['suspect', 'prospect', 'first-time customer', 'repeat customer', 'client', 'advocate'][rung];

create temp table people as
select i, format('c{{:016x}}', i) as customer_id, 1 + upto(i, 1, 6) as rung from range({customers}) as n (i);

create temp table names as
select a, audience from (select unnest({audiences}) as audience, unnest(range(len({audiences}))) as a) order by audience;

insert into core.dim_customers by name
select
    customer_id, ago(i, 2, 1000) as first_seen_date, picked(i, 3, ['Ani', 'Budi', 'Citra', 'Dewi']) as first_name,
    picked(i, 4, ['Wijaya', 'Santoso', 'Putri']) as last_name, 'p' || (i - cast(i % 200 = 1 as integer)) || '@example.com' as email,
    '+6281' || (200000000 + i) as phone, picked(i, 5, ['Jakarta', 'Bandung', 'Medan']) as city, 'ID' as country,
    true as has_email, true as has_phone, false as has_invalid_email, 1 as n_records, true as is_listed
from people;

insert into core.customer_identities by name
select customer_id, 'shop' as source, 'C' || lpad(cast(i as varchar), 7, '0') as contact_id, true as is_listed from people;

insert into core.customer_id_aliases by name
select format('cf{{:015x}}', i) as customer_id_before, customer_id from people where i % 100 = 0;

insert into core.fct_orders by name
select
    'O-' || i || '-' || k as order_id, 'shop' as source, customer_id, moment_of(i * 64 + k, 6, 1000) as ordered_at,
    cast(ordered_at as date) as order_date, 'completed' as status, 'IDR' as currency,
    1000 * upto(i * 64 + k, 7, 900) as net_amount, net_amount as gross_amount, true as is_purchase,
    k % 4 = 0 as is_discounted, 'web' as channel
from (select *, unnest(range(upto(i, 8, 21))) as k from people);

insert into core.fct_messages by name
select
    'm-' || i || '-' || k as message_id, 'mailer' as source, customer_id, 'email' as channel, event,
    timestamp '{day} 08:00:00' - to_days(cast(30 * k as integer)) as occurred_at,
    cast(occurred_at as date) as message_date, 'mailing ' || k as campaign, 'winback' as audience
from (
    select *, unnest(['delivered', 'opened', 'sent', 'unsubscribed']) as event
    from (select *, unnest(range(5)) as k from people)
);

insert into core.fct_tickets by name
select
    't-' || i as ticket_id, 'desk' as source, customer_id, 'complaint' as kind, 'email' as channel, 'delivery' as topic,
    moment_of(i, 9, 1000) as opened_at, cast(opened_at as date) as opened_date, true as is_resolved
from people where i % 5 = 0;

insert into core.fct_survey_responses by name
select
    'a-' || i as response_id, 'survey' as source, customer_id, 'nps' as kind, moment_of(i, 10, 1000) as answered_at,
    cast(answered_at as date) as answer_date, upto(i, 11, 11) as score, 'web' as touchpoint, 'all was well' as comment
from people where i % 5 < 3;

insert into core.fct_refunds by name
select 'r-' || i as refund_id, 'shop' as source, customer_id, moment_of(i, 12, 1000) as refunded_at, 5000 as amount
from people where i % 10 < 3;

insert into core.fct_consents by name
select 'shop' as source, customer_id, 'email' as channel, 'marketing' as purpose, 'granted' as status, moment_of(i, 13, 900) as status_at
from people;

insert into customer.customer_consents by name
select customer_id, 'email' as channel, 'marketing' as purpose, 'granted' as status, moment_of(i, 13, 900) as valid_from, true as is_current
from people;

insert into customer.customer_contactability by name
select customer_id, channel, date '{day}' as as_of_date, channel = 'email' as is_contactable, 'no consent' as reason
from (select *, unnest(['app', 'call', 'email', 'mail', 'push', 'sms', 'web', 'whatsapp']) as channel from people);

insert into customer.customer_lifecycle by name
select customer_id, date '{day}' as as_of_date, rung, rung_name(rung) as rung_name, 'bought twice' as reason from people;

insert into customer.customer_lifecycle_history by name
select
    customer_id, greatest(1, rung - 4 + k) as rung, rung_name(greatest(1, rung - 4 + k)) as rung_name, k = 4 as is_current,
    date '{day}' - cast(150 * (4 - k) as integer) - upto(i, 14, 150) as valid_from,
    case when k < 4 then valid_from + 150 end as valid_to, 150 as days, 'bought again' as reason,
    nullif(rung - 5 + k, 0) as previous_rung, rung_name(rung - 5 + k) as previous_rung_name, false as began_before
from (select *, unnest(range(5)) as k from people);

insert into customer.customer_rfm by name
select
    customer_id, date '{day}' as as_of_date, upto(i, 15, 900) as recency_days, upto(i, 8, 21) as frequency,
    1000 * upto(i, 16, 9000) as monetary, 1 + upto(i, 15, 5) as r_score, 1 + upto(i, 8, 5) as f_score, 3 as m_score,
    picked(i, 17, ['Champions', 'Loyal customers', 'At risk', 'Lost', 'Hibernating', 'Promising']) as segment
from people where i % 10 < 7;

insert into customer.customer_360 by name
select
    customer_id, date '{day}' as as_of_date, rung, rung_name(rung) as rung_name, 'bought twice' as rung_why,
    upto(i, 8, 21) as orders, 1000 * upto(i, 16, 9000) as net_value, i % 3 > 0 as is_contactable_by_email, i % 7 = 0 as is_at_risk,
    'tea' as preferred_category, 'bought it most' as category_why, 'within the usual gap' as journey_why
from people;

insert into customer.customer_value by name
select customer_id, date '{day}' as as_of_date, ago(i, 2, 1000) as first_order_date, upto(i, 8, 21) as orders from people;

insert into customer.customer_satisfaction by name
select customer_id, date '{day}' as as_of_date, upto(i, 11, 11) as nps_score, 'passive' as nps_group from people where i % 5 < 3;

insert into customer.customer_personalization by name
select
    customer_id, date '{day}' as as_of_date, 'Kak ' || picked(i, 3, ['Ani', 'Budi', 'Citra', 'Dewi']) as greeting_name,
    'id' as language, 'tea' as preferred_category, 'a pot' as recommended_product, 'full price' as coupon_policy,
    date '{day}' + upto(i, 18, 365) as next_birthday
from people;

insert into customer.customer_recommendations by name
select customer_id, place, date '{day}' as as_of_date, 'product ' || place as product_name, 'tea' as category, 'goes with tea' as why
from (select *, unnest([1, 2, 3]) as place from people);

-- The first list has everybody, each of the others one of fifteen.
insert into audiences.audience_members by name
select
    audience, customer_id, 'email' as channel, 'last bought ' || upto(i, 15, 900) || ' days ago' as why, '2026-06-01' as entry_key,
    date '{day}' as as_of_date, ago(i, 19, 60) as entered_on, 1 + i % 2 as step, 'missed' as template, i % 3 = 0 as is_due
from names cross join people where a = 0 or i % 15 = a % 15
order by audience, customer_id;

insert into audiences.audience_exclusions by name
select audience, customer_id, 'email' as channel, picked(i, 20, ['no consent', 'held out', 'asked not to']) as reason
from names cross join people where a > 0 and i % 30 = a % 30 + 1
order by audience, customer_id;

insert into audiences.audience_due by name
select audience, customer_id, step, channel, template, 'member' as test_group, as_of_date
from audiences.audience_members where is_due;

insert into audiences.audience_sizes by name
select
    audience, 'email' as channel, date '{day}' - cast(k as integer) as as_of_date, members - 10 * k as members, members // 2 as excluded, members // 3 as due
from (select audience, count(*) as members from audiences.audience_members group by audience)
cross join (select unnest(range(90)) as k)
order by all;

insert into audiences.audience_movements by name
select audience, as_of_date, as_of_date - 1 as previous_date, 120 as n_entered, 110 as n_left, members - 120 as n_stayed
from audiences.audience_sizes;

insert into audiences.audience_overlap by name
select one.audience, other.audience as other_audience, 1000 as customers, 0.1 as share
from names as one cross join names as other where one.a <> other.a
order by all;

insert into metrics.nps by name
select period_grain, (date '{day}' - to_months(cast(k as integer)))::date as period_start, 'all' as dimension, 'all' as dimension_value,
    30 + k as nps, 20 as ci_low, 45 as ci_high, 900 as n_responses
from (select unnest(['month', 'window']) as period_grain) cross join (select unnest(range(36)) as k)
where period_grain = 'month' or k = 0
order by all;

insert into metrics.service_levels by name
select 'month' as period_grain, (date '{day}' - to_months(cast(k as integer)))::date as period_start, 'all' as dimension,
    'all' as dimension_value, 900 as tickets, 0.7 + draw(k, 21) / 5 as sla_share
from (select unnest(range(36)) as k)
order by all;

insert into metrics.retention_cohorts by name
select (date '2026-06-01' - to_months(cast(k as integer)))::date as cohort_month, months_since, 9000 as customers,
    100 as retained, 0.4 / (1 + months_since) as retention_rate
from (select unnest(range(36)) as k) cross join (select unnest(range(36)) as months_since) where months_since <= k
order by all;

insert into metrics.segment_movements by name
select date '2026-06-01' as month, one as from_segment, other as to_segment, 900 as customers, 0.1 as share
from (select unnest(['Champions', 'At risk', 'Lost']) as one) cross join (select unnest(['Champions', 'At risk', 'Lost']) as other)
order by all;

insert into metrics.source_freshness by name
select 'shop' as source, entity, date '{day}' as as_of_date, date '{day}' as last_landed_day, 1000 as landed_rows, false as is_stale
from (select unnest(['contacts', 'messages', 'orders']) as entity);
