-- Whether a customer agreed to be written to, per channel. Of one record the latest word counts, and of words at the
-- same instant the stricter; where the records of a customer disagree, no means no. Only a yes to marketing is one; a
-- no counts whatever it was called, but for purposes that are known to be something else (seed separate_purposes). A
-- yes that was to be confirmed and was not says nothing beside another word, and alone it is no yes. A no also reaches
-- who had the record's address before.
with

words as (

    select
        consents.source,
        consents.contact_id,
        consents.channel,
        consents.status = 'granted' as is_yes,
        {{ is_confirmed('consents.channel', 'consents.method') }} or consents.status <> 'granted' as counts,
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
        order by case when counts then 1 else 0 end desc, status_at desc, case when is_yes then 1 else 0 end asc
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
        bool_and(latest.is_yes and latest.counts) as is_granted,
        bool_and(latest.is_yes) and not bool_and(latest.counts) as is_awaiting_confirmation
    from latest
    inner join reach
        on
            latest.source = reach.source
            and latest.contact_id = reach.contact_id
    where reach.is_own or not latest.is_yes
    group by reach.customer_id, latest.channel

)

select * from final
