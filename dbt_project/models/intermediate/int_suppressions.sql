-- What speaks against writing to a customer on a channel, whatever they once agreed to: a complaint for good, an
-- unsubscribe until the same record agrees again (for good, if an e-mail tool was told so: it alone can take somebody
-- back), the company's own list of addresses that are not to be written at, a no that came after the as-of date, but to
-- a purpose of its own, and a bounce until something arrives at the same record. Of several reasons the gravest; one
-- record that says no is enough. They also reach who had the record's address before; a bounce, which is about one
-- address, only who has the address that it is recorded at.
with

messages as (

    select
        source,
        contact_id,
        channel,
        max(case when event = 'complained' then occurred_at end) as complained_at,
        max(case when event = 'unsubscribed' then occurred_at end) as unsubscribed_at,
        max(case when event = 'bounced' then occurred_at end) as bounced_at,
        max(case when event in ('delivered', 'opened', 'clicked') then occurred_at end) as arrived_at
    from {{ ref('stg_messages') }}
    where contact_id is not null
    group by source, contact_id, channel

),

grants as (

    select
        source,
        contact_id,
        channel,
        max(status_at) as granted_at
    from {{ ref('stg_consents') }}
    where status = 'granted' and purpose = 'marketing' and {{ is_confirmed('channel', 'method') }}
    group by source, contact_id, channel

),

reasons as (

    select
        messages.source,
        messages.contact_id,
        messages.channel,
        case
            when messages.complained_at is not null then 1
            when
                messages.unsubscribed_at is not null
                and (grants.granted_at is null or grants.granted_at <= messages.unsubscribed_at) then 2
            when
                messages.bounced_at is not null
                and (messages.arrived_at is null or messages.arrived_at <= messages.bounced_at) then 5
        end as gravity
    from messages
    left join grants
        on
            messages.source = grants.source
            and messages.contact_id = grants.contact_id
            and messages.channel = grants.channel

    union all

    select
        late.source,
        late.contact_id,
        late.channel,
        4 as gravity
    from {{ ref('stg_late_refusals') }} as late
    left join {{ ref('separate_purposes') }} as separate on late.purpose = separate.purpose
    where separate.purpose is null

    union all

    select
        '(suppressions)' as source,
        suppressions.address as contact_id,
        channels.channel,
        3 as gravity
    from {{ source('reference', 'suppressions') }} as suppressions
    inner join {{ ref('channels') }} as channels
        on channels.channel = coalesce(suppressions.channel, channels.channel)

    union all

    select
        '(refusals)' as source,
        address as contact_id,
        'email' as channel,
        case reason when 'complained' then 1 when 'bounced' then 5 else 2 end as gravity
    from {{ source('registry', 'refusals') }}

),

reach as (

    select source, contact_id, customer_id, true as has_its_address from {{ ref('int_customer_identities') }}

    union all

    select source, contact_id, customer_id, has_its_address from {{ ref('int_refusal_reach') }}

),

final as (

    select
        reach.customer_id,
        reasons.channel,
        case min(reasons.gravity)
            when 1 then 'complained'
            when 2 then 'unsubscribed'
            when 3 then 'suppressed'
            when 4 then 'said no since'
            else 'bounced'
        end as reason
    from reasons
    inner join reach
        on
            reasons.source = reach.source
            and reasons.contact_id = reach.contact_id
    where reasons.gravity is not null and (reach.has_its_address or reasons.gravity < 5)
    group by reach.customer_id, reasons.channel

)

select * from final
