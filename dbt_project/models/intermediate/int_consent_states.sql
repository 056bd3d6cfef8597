-- Whether a customer agreed to be written to, per channel. Of one record the latest word counts, and of words at the
-- same instant the stricter; where the records of a customer disagree, no means no. Only a yes to marketing is one; a
-- no counts whatever it was called, but for purposes that are known to be something else (seed separate_purposes).
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
    where consents.purpose = 'marketing' or (consents.status <> 'granted' and separate.purpose is null)

),

latest as (

    select *
    from words
    qualify row_number() over (
        partition by source, contact_id, channel
        order by status_at desc, case when is_granted then 1 else 0 end asc
    ) = 1

),

final as (

    select
        identities.customer_id,
        latest.channel,
        bool_and(latest.is_granted) as is_granted
    from latest
    inner join {{ ref('int_customer_identities') }} as identities
        on
            latest.source = identities.source
            and latest.contact_id = identities.contact_id
    group by identities.customer_id, latest.channel

)

select * from final
