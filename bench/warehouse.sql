-- What a practised hand would write for this one load: who is who, R, F, M and their scores, the segment, the rung, the
-- NPS of 90 days and a table of customers. It takes the Parquet for what it is: one clean delivery of each kind, one
-- currency, the seeds and rules as they stand. bench/warehouse.py gives it views of the Parquet files and the seeds.

-- Two records with one address or number are one person; a second round follows the chains.
create table identities as
with records as (
    select
        namespace as source,
        contact_id,
        row_number() over () as node,
        case when split_part(split_part(email, '@', 1), '+', 1) not in (select local_part from role_addresses) then email
        end as email,
        case when right(phone, 6) not in (select last_digits from placeholder_phones) then phone end as phone
    from contacts
),
once as (
    select
        *,
        least(
            min(node) over (partition by coalesce(email, cast(node as varchar))),
            min(node) over (partition by coalesce(phone, cast(node as varchar)))
        ) as label
    from records
)
select
    source,
    contact_id,
    least(
        min(label) over (partition by coalesce(email, cast(node as varchar))),
        min(label) over (partition by coalesce(phone, cast(node as varchar)))
    ) as customer
from once;

create table customers as
with records as (
    select identities.customer, contacts.*, row_number() over (
        partition by identities.customer order by contacts.updated_at, contacts.namespace, contacts.contact_id
    ) as place
    from contacts
    inner join identities on contacts.namespace = identities.source and contacts.contact_id = identities.contact_id
)
select
    customer,
    count(*) as n_records,
    min(signup_at) as signup_at,
    arg_min(acquisition_channel, place) as acquisition_channel,
    arg_max(email, place) as email,
    arg_max(phone, place) as phone,
    arg_max(first_name, place) as first_name,
    arg_max(last_name, place) as last_name,
    arg_max(gender, place) as gender,
    arg_max(birth_date, place) as birth_date,
    arg_max(occupation, place) as occupation,
    arg_max(city, place) as city,
    arg_max(country, place) as country,
    arg_max(language, place) as language,
    arg_max(interests, place) as interests
from records
group by customer;

create table purchases as
select
    identities.customer,
    cast(timezone('Asia/Jakarta', timezone('UTC', orders.ordered_at)) as date) as day,
    orders.total_amount - coalesce(refunded.amount, 0) as net,
    orders.discount_amount > 0 or orders.coupon_code is not null as is_discounted
from orders
inner join identities on orders.namespace = identities.source and orders.contact_id = identities.contact_id
left join (select order_id, sum(amount) as amount from refunds group by order_id) as refunded using (order_id)
where orders.status in ('paid', 'shipped', 'completed') and orders.total_amount > coalesce(refunded.amount, 0);

create table rfm as
with summed as (
    select customer, date '2026-06-30' - max(day) as recency, count(*) as frequency, sum(net) as monetary
    from purchases
    group by customer
),
cuts as (
    select
        quantile_cont(cast(recency as double), [0.2, 0.4, 0.6, 0.8]) as r,
        quantile_cont(cast(frequency as double), [0.2, 0.4, 0.6, 0.8]) as f,
        quantile_cont(cast(monetary as double), [0.2, 0.4, 0.6, 0.8]) as m
    from summed
),
scored as (
    select
        customer,
        recency,
        frequency,
        cast(monetary as decimal(18, 2)) as monetary,
        5 - ((recency > r[1])::tinyint + (recency > r[2])::tinyint + (recency > r[3])::tinyint + (recency > r[4])::tinyint)
            as r_score,
        1 + (frequency > f[1])::tinyint + (frequency > f[2])::tinyint + (frequency > f[3])::tinyint
            + (frequency > f[4])::tinyint as f_score,
        1 + (monetary > m[1])::tinyint + (monetary > m[2])::tinyint + (monetary > m[3])::tinyint
            + (monetary > m[4])::tinyint as m_score
    from summed cross join cuts
)
select scored.*, segments.segment
from scored
inner join rfm_segments as segments
    on segments.scheme = 'standard_11' and r_score = segments.r and f_score = segments.f and m_score = segments.m;

create table ladder as
with gaps as (
    select customer, day, day - lag(day) over (partition by customer order by day) as gap
    from (select distinct customer, day from purchases)
),
cadence as (
    select customer, count(*) as days, median(gap) as usual_gap, date '2026-06-30' - max(day) as current_gap,
        min(day) as first_day
    from gaps
    group by customer
),
discount_days as (
    select distinct cast(unnest(range(starts_on, ends_on + interval 1 day, interval 1 day)) as date) as day from campaigns
),
seen as (
    select calendar.day, count(discount_days.day) over (order by calendar.day desc) as days_on
    from (select cast(unnest(range(date '2023-06-30', date '2026-07-01', interval 1 day)) as date) as day) as calendar
    left join discount_days on calendar.day = discount_days.day
),
bought as (
    select customer, count(*) as orders, count(discount_days.day) as orders_on,
        count(*) filter (not is_discounted) as full_price
    from purchases left join discount_days using (day)
    group by customer
),
sieve as (
    select
        bought.customer,
        seen.days_on > 0 and known > seen.days_on and full_price >= 2
        and (orders - orders_on) * seen.days_on >= 0.8 * orders_on * (known - seen.days_on) as passes
    from bought
    inner join (select *, date '2026-06-30' - first_day + 1 as known from cadence) as cadence using (customer)
    inner join seen on cadence.first_day = seen.day
),
words as (
    select namespace as source, contact_id, channel, arg_max(status = 'granted', (status_at, status <> 'granted'))
        as is_granted, max(status_at) filter (status = 'granted') as granted_at
    from consents
    where purpose = 'marketing'
    group by all
),
refusals as (
    select namespace as source, contact_id, channel, max(occurred_at) filter (event = 'complained') as complained_at,
        max(occurred_at) filter (event = 'unsubscribed') as unsubscribed_at
    from messages
    where event in ('complained', 'unsubscribed')
    group by all
),
agreed as (
    select customer, bool_or(is_granted) as has_opted_in
    from (
        select customer, channel, bool_and(
            is_granted and complained_at is null and coalesce(unsubscribed_at < granted_at, true)
        ) as is_granted
        from words
        inner join identities using (source, contact_id)
        left join refusals using (source, contact_id, channel)
        group by customer, channel
    )
    group by customer
),
engaged as (
    select distinct customer
    from (
        select namespace as source, contact_id, max(occurred_at) as moment from events where contact_id is not null group by all
        union all
        select namespace, contact_id, max(occurred_at) from messages where event in ('opened', 'clicked') group by all
    )
    inner join identities using (source, contact_id)
    where cast(timezone('Asia/Jakarta', timezone('UTC', moment)) as date) > date '2026-06-30' - 90
),
complaints as (
    select customer, bool_or(kind = 'complaint' and resolved_at is null) as is_open,
        bool_or(kind <> 'complaint' and opened_at > timestamp '2025-06-30 17:00:00') as has_written
    from tickets inner join identities on tickets.namespace = identities.source and tickets.contact_id = identities.contact_id
    group by customer
),
said as (
    select customer, max(score) filter (kind = 'csat') as csat, max(score) filter (kind = 'nps') as nps,
        max(score) filter (kind = 'ces') as ces
    from (
        select customer, kind, arg_max(score, (answered_at, id)) as score
        from (
            select namespace, contact_id, kind, score, answered_at, response_id as id from survey_responses
            union all
            select namespace, contact_id, 'csat', csat_score, resolved_at, 'ticket:' || ticket_id from tickets
        ) as answers
        inner join identities on answers.namespace = identities.source and answers.contact_id = identities.contact_id
        where score is not null and answered_at >= timestamp '2025-06-30 17:00:00'
        group by all
    )
    group by customer
),
brought as (
    select distinct referrers.customer
    from referrals
    inner join identities as referrers
        on referrals.namespace = referrers.source and referrals.referrer_contact_id = referrers.contact_id
    inner join identities as friends
        on referrals.namespace = friends.source and referrals.referred_contact_id = friends.contact_id
    inner join cadence on friends.customer = cadence.customer
    where
        referred_at >= timestamp '2025-06-30 17:00:00'
        and referrers.customer <> friends.customer
        and cadence.first_day >= cast(timezone('Asia/Jakarta', timezone('UTC', referred_at)) as date)
)
select
    customers.customer,
    case
        when cadence.days is null then case when agreed.has_opted_in or engaged.customer is not null then 2 else 1 end
        when cadence.days = 1 then 3
        when not (cadence.days >= 4 and current_gap <= 2 * usual_gap) or not sieve.passes then 4
        when complaints.is_open or not coalesce(
            case when csat is not null or nps is not null then coalesce(csat >= 4, false) or coalesce(nps >= 7, false) end,
            ces is not null or coalesce(complaints.has_written, false)
        ) then 5
        when brought.customer is null then 6
        else 7
    end as rung
from customers
left join cadence using (customer)
left join sieve using (customer)
left join agreed using (customer)
left join engaged using (customer)
left join complaints using (customer)
left join said using (customer)
left join brought using (customer);

create table nps as
select
    count(*) as n_responses,
    count(*) filter (score >= 9) as promoters,
    count(*) filter (score <= 6) as detractors,
    round(100.0 * (promoters - detractors) / n_responses, 2) as nps
from (
    select arg_max(score, (answered_at, response_id)) as score
    from survey_responses as answers
    inner join identities on answers.namespace = identities.source and answers.contact_id = identities.contact_id
    where kind = 'nps' and score is not null and answered_at >= timestamp '2026-04-01 17:00:00'
    group by customer, survey
);
