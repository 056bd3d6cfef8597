-- What speaks against writing to a record, or to an address, whatever it once agreed to: a complaint for good, an
-- unsubscribe until the same record agrees again (for good, if an e-mail tool was told so: it alone can take somebody
-- back), the company's own list of addresses that are not to be written at, a no that came after the as-of date, but to
-- a purpose of its own, and a bounce until something arrives at the same record. Of several reasons the gravest.
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

final as (

    select source, contact_id, channel, min(gravity) as gravity
    from reasons
    where gravity is not null
    group by source, contact_id, channel

)

select * from final
