-- What speaks against writing to a customer on a channel, whatever they once agreed to. One record that says no is
-- enough, and of several reasons the gravest counts. They also reach who had the record's address before; a bounce,
-- which is about one address, only who has the address that it is recorded at.
with

reach as (

    select source, contact_id, customer_id, true as has_its_address from {{ ref('int_customer_identities') }}

    union all

    select source, contact_id, customer_id, has_its_address from {{ ref('int_refusal_reach') }}

),

final as (

    select
        reach.customer_id,
        records.channel,
        case min(records.gravity)
            when 1 then 'complained'
            when 2 then 'unsubscribed'
            when 3 then 'suppressed'
            when 4 then 'said no since'
            else 'bounced'
        end as reason
    from {{ ref('int_record_suppressions') }} as records
    inner join reach
        on
            records.source = reach.source
            and records.contact_id = reach.contact_id
    where reach.has_its_address or records.gravity < 5
    group by reach.customer_id, records.channel

)

select * from final
