-- The days on which a discount was to be had: by everybody (customer_id is null), or by one customer
-- who was sent the offer.
with

campaigns as (

    select campaign, starts_on, ends_on, scope from {{ ref('discount_campaigns') }}

    union all

    select campaign, starts_on, ends_on, scope from {{ source('reference', 'discount_campaigns') }}

),

store_wide as (

    select distinct cast(null as varchar) as customer_id, calendar.day
    from campaigns
    inner join {{ ref('int_calendar') }} as calendar
        on calendar.day between campaigns.starts_on and campaigns.ends_on
    where campaigns.scope = 'all'

),

own as (

    select distinct identities.customer_id, calendar.day
    from campaigns
    inner join {{ ref('stg_messages') }} as messages
        on
            campaigns.campaign = messages.campaign
            and messages.event = 'sent'
    inner join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id
    inner join {{ ref('int_calendar') }} as calendar
        on
            calendar.day between campaigns.starts_on and campaigns.ends_on
            and messages.message_date <= calendar.day
    left join store_wide on calendar.day = store_wide.day
    where campaigns.scope = 'recipients' and store_wide.day is null

),

final as (

    select customer_id, day from store_wide

    union all

    select customer_id, day from own

)

select * from final
