-- Whether a customer agreed to be written to, per channel. Of one record the latest word counts, and of words at the
-- same instant the stricter; where the records of a customer disagree, no means no. Only a yes to marketing is one; a
-- no counts whatever it was called, but for purposes that are known to be something else (seed separate_purposes). A no
-- also reaches who had the record's address before.
with

words as (

    select
        consents.source,
        consents.contact_id,
        consents.channel,
        consents.status = 'granted' as is_granted,
        consents.status_at
    from {{ ref('stg_consents') }} as consents
    left join {{ ref('separate_purposes') }} as separate on consents.purpose = separate.purpose
    where {{ is_about_marketing('consents', 'separate') }}

),

latest as (

    select *
    from words
    qualify row_number() over (
        partition by source, contact_id, channel
        order by status_at desc, case when is_granted then 1 else 0 end asc
    ) = 1

),

reach as (

    select source, contact_id, customer_id, true as is_own from {{ ref('int_customer_identities') }}

    union all

    select source, contact_id, customer_id, false as is_own from {{ ref('int_refusal_reach') }}

),

final as (

    select
        reach.customer_id,
        latest.channel,
        bool_and(latest.is_granted) as is_granted
    from latest
    inner join reach
        on
            latest.source = reach.source
            and latest.contact_id = reach.contact_id
    where reach.is_own or not latest.is_granted
    group by reach.customer_id, latest.channel

)

select * from final
