-- The days on which a customer who had not bought yet agreed to be written to on any channel, or did so no more. It is
-- what int_consent_states, and complaints and unsubscribes of int_suppressions, say of today, told of every day.
with

reach as (

    select source, contact_id, customer_id, 1 as is_own from {{ ref('int_customer_identities') }}

    union all

    select source, contact_id, customer_id, 0 as is_own from {{ ref('int_refusal_reach') }}

),

channels as (

    select
        reach.customer_id,
        turns.channel,
        turns.day,
        sum(sum(turns.more_yes * reach.is_own)) over so_far > 0
        and sum(sum(turns.more_no + turns.more_waiting * reach.is_own)) over so_far = 0 as is_open
    from {{ ref('int_word_changes') }} as turns
    inner join reach
        on
            turns.source = reach.source
            and turns.contact_id = reach.contact_id
    inner join {{ ref('int_lifecycle_starts') }} as starts on reach.customer_id = starts.customer_id
    where starts.first_purchase_date is null or turns.day < starts.first_purchase_date
    group by reach.customer_id, turns.channel, turns.day
    window so_far as (partition by reach.customer_id, turns.channel order by turns.day)

),

openings as (

    select
        customer_id,
        day,
        case when is_open then 1 else 0 end - coalesce(
            lag(case when is_open then 1 else 0 end) over (partition by customer_id, channel order by day), 0
        ) as more_open
    from channels

),

final as (

    select
        customer_id,
        day,
        sum(sum(more_open)) over (partition by customer_id order by day) > 0 as has_opted_in
    from openings
    group by customer_id, day

)

select * from final
