-- What a customer has agreed to over time, per channel and purpose: a row for each stay. As long as any of the
-- customer's records says no, the answer is no; a yes that was to be confirmed and was not waits for it.
with

words as (

    select
        identities.customer_id,
        consents.source,
        consents.contact_id,
        consents.channel,
        consents.purpose,
        consents.status_at,
        case
            when bool_or(consents.status <> 'granted') then 'no'
            when bool_or({{ is_confirmed('consents.channel', 'consents.method') }}) then 'yes'
            else 'unconfirmed'
        end as word
    from {{ ref('stg_consents') }} as consents
    inner join {{ ref('int_customer_identities') }} as identities
        on
            consents.source = identities.source
            and consents.contact_id = identities.contact_id
    group by
        identities.customer_id, consents.source, consents.contact_id, consents.channel, consents.purpose,
        consents.status_at

),

-- What the record said before: a yes without its confirmation takes back neither a yes nor a no.
turns as (

    select
        *,
        coalesce(lag(word) over (
            partition by source, contact_id, customer_id, channel, purpose order by status_at
        ), 'nothing') as word_before
    from (
        select *
        from words
        qualify
            word <> 'unconfirmed'
            or not coalesce(bool_or(word <> 'unconfirmed') over (
                partition by source, contact_id, customer_id, channel, purpose
                order by status_at rows between unbounded preceding and 1 preceding
            ), false)
    ) as heard

),

-- How many of the customer's records say no, and how many wait, after each turn.
counted as (

    select
        customer_id,
        channel,
        purpose,
        status_at,
        sum(sum(case when word = 'no' then 1 else 0 end - case when word_before = 'no' then 1 else 0 end))
            over (partition by customer_id, channel, purpose order by status_at)
            as n_refusing,
        sum(sum(
            case when word = 'unconfirmed' then 1 else 0 end - case when word_before = 'unconfirmed' then 1 else 0 end
        ))
            over (partition by customer_id, channel, purpose order by status_at)
            as n_waiting
    from turns
    group by customer_id, channel, purpose, status_at

),

stated as (

    select
        customer_id,
        channel,
        purpose,
        status_at,
        case when n_refusing > 0 then 'refused' when n_waiting > 0 then 'not confirmed' else 'granted' end
            as status
    from counted

),

stays as (

    select *
    from stated
    qualify status is distinct from lag(status) over (partition by customer_id, channel, purpose order by status_at)

),

final as (

    select
        customer_id,
        channel,
        purpose,
        status,
        status_at as valid_from,
        lead(status_at) over (partition by customer_id, channel, purpose order by status_at) as valid_to
    from stays

)

select
    customer_id,
    channel,
    purpose,
    status,
    valid_from,
    valid_to,
    valid_to is null as is_current
from final
