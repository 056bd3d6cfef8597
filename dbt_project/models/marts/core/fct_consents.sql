with

final as (

    select
        consents.source,
        identities.customer_id,
        consents.contact_id,
        consents.channel,
        consents.purpose,
        consents.status,
        consents.status_at,
        consents.method,
        consents.wording_version
    from {{ ref('stg_consents') }} as consents
    inner join {{ ref('int_customer_identities') }} as identities
        on
            consents.source = identities.source
            and consents.contact_id = identities.contact_id

)

select * from final
