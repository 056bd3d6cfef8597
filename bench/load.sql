-- The standard load: customers of three years, what they bought, did and said. All of it comes from `draw`, plain
-- arithmetic that no version of the engine changes. {customers} and {events} are filled in by load.py.

-- A number in [0, 1) for each index and stream: multiplications that throw the bits about (Mueller's integer hash).
create macro mix(x) as (xor(x, x >> 16) * 73244475) % 4294967296;
create macro draw(i, stream) as
    mix(mix((cast(i as bigint) * 2654435761 + stream * 2654404609) % 4294967296)) / 4294967296.0;
create macro picked(i, stream, items) as items[1 + cast(floor(len(items) * draw(i, stream)) as integer)];
create macro began() as timestamp '2023-07-01';
create macro ended() as timestamp '2026-06-30 16:00:00';
create macro moment(first, last, share) as
    first + to_seconds(cast(floor(share * epoch(last - first)) as bigint));
create macro shop_id(c) as 'C' || lpad(cast(c as varchar), 7, '0');
create macro address(c) as 'p' || c || '@example.com';
create macro product(p) as 'SKU-' || lpad(cast(p as varchar), 4, '0');
create macro price(p) as cast(((p * 7919) % 900 + 100) * 100 as decimal(18, 2));
create macro category(p) as 'category ' || lpad(cast(p % 40 as varchar), 2, '0');

-- Three in ten never buy; of the others a third buy once, and a few in a million some hundred times.
create table people as
select
    c,
    joined_at,
    case when draw(c, 3) < 0.5 then ended() else moment(joined_at, ended(), draw(c, 4)) end as left_at,
    case
        when draw(c, 5) < 0.3 then 0
        else least(1 + cast(floor(6.9 * power(ln(draw(c, 6) + 1e-9), 2)) as integer), 1999)
    end as orders
from (select c, moment(began(), ended(), draw(c, 2)) as joined_at from range({customers}) as numbers (c));

create table sold as
with drawn as (
    select c, k, moment(joined_at, left_at, draw(c * 2000 + k, 10)) as ordered_at
    from (select c, joined_at, left_at, unnest(range(orders)) as k from people)
)
select cast(row_number() over (order by ordered_at, c, k) as integer) as number, cast(c as integer) as c, ordered_at
from drawn
order by number;

create table lines as
select
    number,
    cast(line as integer) as line,
    cast(floor(2000 * power(draw(cast(number as bigint) * 8 + line, 21), 2)) as integer) as p,
    1 + cast(floor(2.2 * power(draw(cast(number as bigint) * 8 + line, 22), 3)) as integer) as quantity,
    draw(number, 12) < 0.25 as is_discounted
from (select number, unnest(range(1, 2 + cast(floor(4 * draw(number, 11)) as integer))) as line from sold);

create table totals as
select number, sum(quantity * price(p)) as subtotal, sum(case when is_discounted then quantity * price(p) / 10 else 0 end)
    as discount
from lines group by number;

-- name: shop.contacts
select
    shop_id(c) as contact_id,
    moment(joined_at, left_at, draw(c, 7)) as updated_at,
    case when draw(c, 31) < 0.85 then address(c) end as email,
    case when draw(c, 32) < 0.6 then '+6281' || (200000000 + c) end as phone,
    picked(c, 33, ['Ani', 'Budi', 'Citra', 'Dewi', 'Eko', 'Fajar', 'Gita', 'Hadi', 'Indah', 'Joko']) as first_name,
    picked(c, 34, ['Wijaya', 'Santoso', 'Putri', 'Hidayat', 'Lestari', 'Saputra', 'Kusuma']) as last_name,
    picked(c, 35, ['male', 'female']) as gender,
    case when draw(c, 36) < 0.6 then date '1950-01-01' + cast(floor(20000 * draw(c, 37)) as integer) end as birth_date,
    picked(c, 38, ['teacher', 'nurse', 'driver', 'student', 'engineer', 'trader', null]) as occupation,
    picked(c, 39, ['Jakarta', 'Surabaya', 'Bandung', 'Medan', 'Semarang', 'Makassar', 'Palembang', 'Depok']) as city,
    'ID' as country,
    picked(c, 40, ['id', 'id', 'id', 'en']) as language,
    joined_at as signup_at,
    picked(c, 41, ['instagram', 'search', 'friend', 'store', 'tiktok']) as acquisition_channel,
    case when draw(c, 42) < 0.2 then category(cast(floor(40 * draw(c, 43)) as integer)) || '|batik' end as interests
from people

-- name: till.contacts
-- One in twenty also has a card at the till, known by the address or the number, and here and there by neither.
select
    'T' || lpad(cast(c as varchar), 7, '0') as contact_id,
    moment(joined_at, left_at, draw(c, 45)) as updated_at,
    case when draw(c, 46) < 0.7 then address(c) end as email,
    case when draw(c, 47) < 0.7 then '+6281' || (200000000 + c) end as phone,
    picked(c, 33, ['Ani', 'Budi', 'Citra', 'Dewi', 'Eko', 'Fajar', 'Gita', 'Hadi', 'Indah', 'Joko']) as first_name,
    joined_at as signup_at
from people
where draw(c, 44) < 0.05

-- name: shop.consents
select shop_id(c) as contact_id, channel, status, status_at, 'marketing' as purpose, 'single_opt_in' as method
from (
    select c, 'email' as channel, 'granted' as status, joined_at as status_at from people where draw(c, 50) < 0.6
    union all
    select c, 'email', 'revoked', moment(joined_at, ended(), draw(c, 52)) from people
    where draw(c, 50) < 0.6 and draw(c, 51) < 0.1
    union all
    select c, 'whatsapp', case when draw(c, 53) < 0.2 then 'granted' else 'denied' end, joined_at from people
    where draw(c, 53) < 0.25
)

-- name: shop.referrals
select
    shop_id(c) as referrer_contact_id,
    shop_id(friend) as referred_contact_id,
    moment(began(), ended(), draw(c, 56)) as referred_at,
    'BRING10' as code
from (select c, cast(floor({customers} * draw(c, 55)) as bigint) as friend from people where draw(c, 54) < 0.03)
where c <> friend

-- name: shop.orders
select
    'A' || lpad(cast(number as varchar), 8, '0') as order_id,
    shop_id(c) as contact_id,
    ordered_at,
    case
        when draw(number, 13) < 0.93 then 'completed'
        when draw(number, 13) < 0.96 then 'paid'
        when draw(number, 13) < 0.98 then 'cancelled'
        when draw(number, 13) < 0.99 then 'returned'
        else 'pending'
    end as status,
    'IDR' as currency,
    cast(subtotal - discount + 10000 as decimal(18, 2)) as total_amount,
    cast(subtotal as decimal(18, 2)) as subtotal_amount,
    cast(discount as decimal(18, 2)) as discount_amount,
    cast(10000 as decimal(18, 2)) as shipping_amount,
    case when discount > 0 then 'SAVE' || cast(number % 12 as varchar) end as coupon_code,
    picked(number, 14, ['web', 'app', 'app', 'store']) as channel
from sold inner join totals using (number)

-- name: shop.order_lines
select
    'A' || lpad(cast(number as varchar), 8, '0') as order_id,
    line as line_number,
    product(p) as product_id,
    cast(quantity as decimal(18, 3)) as quantity,
    price(p) as unit_price,
    'Product ' || p as product_name,
    category(p) as category,
    cast(case when is_discounted then quantity * price(p) / 10 else 0 end as decimal(18, 2)) as discount_amount
from lines

-- name: shop.refunds
select
    'R-' || number as refund_id,
    'A' || lpad(cast(number as varchar), 8, '0') as order_id,
    least(ordered_at + to_days(cast(floor(20 * draw(number, 16)) as integer)), ended()) as refunded_at,
    cast(case when draw(number, 17) < 0.5 then subtotal - discount + 10000 else subtotal / 4 end as decimal(18, 2)) as amount,
    picked(number, 18, ['damaged', 'too late', 'did not fit', null]) as reason
from sold inner join totals using (number)
where draw(number, 15) < 0.03

-- name: shop.events
-- Visits of five events, one after the other over two years; four in ten of somebody who is not known.
select
    'e-' || lpad(cast(i as varchar), 9, '0') as event_id,
    moment(timestamp '2024-07-01', ended(), i / cast({events} as double)) as occurred_at,
    case
        when i % 5 = 0 then 'page_view'
        when draw(i, 60) < 0.75 then 'product_view'
        when draw(i, 60) < 0.93 then 'add_to_cart'
        else 'checkout'
    end as event_type,
    case
        when draw(i // 5, 61) < 0.6
            then shop_id(cast(floor({customers} * power(draw(i // 5, 62), 1.5)) as bigint))
    end as contact_id,
    'b-' || cast(floor(2 * {customers} * draw(i // 5, 63)) as bigint) as anonymous_id,
    's-' || (i // 5) as session_id,
    case when i % 5 > 0 then product(cast(floor(2000 * power(draw(i, 64), 2)) as integer)) end as product_id,
    case when i % 5 > 0 and draw(i, 60) >= 0.75 then 'c-' || (i // 5) end as cart_id,
    picked(i // 5, 65, ['web', 'app']) as channel,
    case when i % 5 > 0 then 'https://shop.example/p/' || cast(floor(2000 * power(draw(i, 64), 2)) as integer) end as url
from range({events}) as numbers (i)

-- name: shop.messages
-- Four mails a year to who agreed.
select
    'm-' || c || '-' || letter as message_id,
    shop_id(c) as contact_id,
    'email' as channel,
    event,
    date_trunc('day', sent_at) + to_hours(8) + to_minutes(minutes) as occurred_at,
    'mailing ' || letter as campaign
from (
    select c, letter, began() + to_days(cast(90 * letter as integer)) as sent_at, unnest([
        {{'event': 'sent', 'minutes': 0, 'share': 1.0}}, {{'event': 'delivered', 'minutes': 1, 'share': 0.98}},
        {{'event': 'opened', 'minutes': 95, 'share': 0.35}}, {{'event': 'clicked', 'minutes': 97, 'share': 0.06}},
        {{'event': 'bounced', 'minutes': 2, 'share': 0.005}}, {{'event': 'unsubscribed', 'minutes': 99, 'share': 0.004}},
        {{'event': 'complained', 'minutes': 99, 'share': 0.0004}}
    ], recursive := true), draw(c * 16 + letter, 70) as luck
    from people, range(1, 12) as letters (letter)
    where draw(c, 50) < 0.6 and joined_at < began() + to_days(cast(90 * letter as integer))
)
where luck < share

-- name: shop.survey_responses
select
    'N-' || number as response_id,
    shop_id(c) as contact_id,
    'after ' || kind as survey,
    kind,
    case when draw(number, 82) < 0.4 then least(sent_at + to_hours(30), ended()) end as answered_at,
    case
        when draw(number, 82) >= 0.4 then null
        when kind = 'nps' then cast(floor(11 * sqrt(draw(number, 83))) as integer)
        when kind = 'csat' then 1 + cast(floor(5 * sqrt(draw(number, 83))) as integer)
        else 1 + cast(floor(7 * draw(number, 83)) as integer)
    end as score,
    sent_at,
    'delivery' as touchpoint,
    case when draw(number, 84) < 0.7 then 'A' || lpad(cast(number as varchar), 8, '0') end as order_id
from (
    select number, c, least(ordered_at + to_days(3), ended()) as sent_at, picked(number, 81, ['nps', 'nps', 'csat', 'ces'])
        as kind
    from sold
    where draw(number, 80) < 0.06
)

-- name: shop.tickets
select
    'T-' || number as ticket_id,
    shop_id(c) as contact_id,
    picked(number, 91, ['question', 'request', 'complaint', 'complaint']) as kind,
    opened_at,
    picked(number, 92, ['email', 'chat', 'phone']) as channel,
    picked(number, 93, ['late delivery', 'damaged', 'invoice', 'size', null]) as topic,
    case when draw(number, 94) < 0.9 then least(opened_at + to_minutes(cast(600 * draw(number, 95) as integer)), ended()) end
        as first_replied_at,
    case when draw(number, 94) < 0.85 then least(opened_at + to_minutes(cast(6000 * draw(number, 96) as integer)), ended())
    end as resolved_at,
    cast(case when draw(number, 97) < 0.05 then 1 else 0 end as integer) as reopened_count,
    case when draw(number, 94) < 0.3 then 1 + cast(floor(5 * sqrt(draw(number, 98))) as integer) end as csat_score
from (select number, c, least(ordered_at + to_days(5), ended()) as opened_at from sold where draw(number, 90) < 0.02)
