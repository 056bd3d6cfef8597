-- How often a customer was written to, and what it cost; a message counts once, whatever became of it.
with

messages as (

    select
        identities.customer_id,
        messages.source,
        messages.message_id,
        max(messages.channel) as channel,
        min(messages.message_date) as message_date
    from {{ ref('stg_messages') }} as messages
    inner join {{ ref('int_customer_identities') }} as identities
        on
            messages.source = identities.source
            and messages.contact_id = identities.contact_id
    group by identities.customer_id, messages.source, messages.message_id

),

priced as (

    select
        messages.customer_id,
        {{ is_in_window('messages.message_date') }} as is_in_window,
        costs.cost_per_message
    from messages
    left join {{ ref('int_contact_costs') }} as costs on messages.channel = costs.channel

),

-- Without a price for one of the messages summed up the sum would be too small, and so there is none. A message may
-- cost less than a cent: what is rounded here would be lost in every sum over customers.
final as (

    select
        customer_id,
        cast(count(*) as integer) as messages,
        cast(sum(case when is_in_window then 1 else 0 end) as integer) as messages_in_window,
        cast(
            case when count(*) = count(cost_per_message) then sum(cost_per_message) end as decimal(18, 4)
        ) as contact_cost,
        cast(
            case
                when sum(case when is_in_window and cost_per_message is null then 1 else 0 end) = 0
                    then sum(case when is_in_window then cost_per_message else 0 end)
            end as decimal(18, 4)
        ) as contact_cost_in_window
    from priced
    group by customer_id

)

select * from final
