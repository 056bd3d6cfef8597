-- Whether a customer agreed to be written to, per channel. Of one record the latest word counts, and
-- of words at the same instant the stricter; where the records of a customer disagree, no means no.
with

latest as (

    select
        identities.customer_id,
        consents.channel,
        consents.status = 'granted' as is_granted,
        consents.status_at
    from {{ ref('stg_consents') }} as consents
    inner join {{ ref('int_customer_identities') }} as identities
        on
            consents.source = identities.source
            and consents.contact_id = identities.contact_id
    where consents.purpose = 'marketing'
    qualify row_number() over (
        partition by consents.source, consents.contact_id, consents.channel
        order by consents.status_at desc, case when consents.status = 'granted' then 1 else 0 end
    ) = 1

),

final as (

    select
        customer_id,
        channel,
        bool_and(is_granted) as is_granted,
        max(case when is_granted then status_at end) as granted_at
    from latest
    group by customer_id, channel

)

select * from final
