-- Whom may we write to, on which channel, at each rung?
--
-- How to read: one row per channel and rung. Where customers of the higher rungs cannot be reached, asking for
-- consent is worth more than another campaign. The columns after the share count those who cannot be written to, by
-- why.
-- Mind: a customer has one reason only, the first that holds (customer.customer_contactability). Channels that nobody
-- may be written to on are left out.
with

customers as (

    select
        customer_contactability.channel,
        customer_lifecycle.rung,
        customer_lifecycle.rung_name,
        customer_contactability.is_contactable,
        case
            when customer_contactability.is_contactable then null
            when customer_contactability.reason like 'no consent%' or customer_contactability.reason = 'not confirmed'
                then 'never agreed'
            when customer_contactability.reason like '%address%' and customer_contactability.reason not like '%said no%'
                then 'no usable address'
            when customer_contactability.reason = 'bounced' then 'no usable address'
            else 'refused'
        end as why_not
    from customer.customer_contactability
    inner join customer.customer_lifecycle
        on customer_contactability.customer_id = customer_lifecycle.customer_id

)

select
    channel,
    rung,
    rung_name,
    count(*) as customers,
    count(*) filter (where is_contactable) as may_be_written_to,
    round(count(*) filter (where is_contactable) / count(*), 4) as share,
    count(*) filter (where why_not = 'never agreed') as never_agreed,
    count(*) filter (where why_not = 'no usable address') as no_usable_address,
    count(*) filter (where why_not = 'refused') as refused
from customers
group by channel, rung, rung_name
qualify sum(count(*) filter (where is_contactable)) over (partition by channel) > 0
order by channel, rung
