-- The days on which a record's word on being written to on a channel turned: yes by a consent, no by a refusal, an
-- unsubscribe or a complaint; of one day the last word, at the same instant the no, and a complaint is for good.
with

words as (

    select
        consents.source,
        consents.contact_id,
        consents.channel,
        consents.status_at as said_at,
        case when consents.status = 'granted' then 1 else 0 end as is_yes,
        0 as is_for_good
    from {{ ref('stg_consents') }} as consents
    left join {{ ref('separate_purposes') }} as separate on consents.purpose = separate.purpose
    where {{ is_about_marketing('consents', 'separate') }}

    union all

    select
        source,
        contact_id,
        channel,
        occurred_at,
        0,
        case when event = 'complained' then 1 else 0 end
    from {{ ref('stg_messages') }}
    where contact_id is not null and event in ('unsubscribed', 'complained')

),

said as (

    select
        source,
        contact_id,
        channel,
        said_at,
        {{ local_date('said_at') }} as day,
        case
            when max(is_for_good) over (partition by source, contact_id, channel order by said_at) = 1 then 0
            else is_yes
        end as is_yes
    from words
    qualify row_number() over (
        partition by source, contact_id, channel, {{ local_date('said_at') }}
        order by said_at desc, is_yes asc
    ) = 1

),

final as (

    select
        source,
        contact_id,
        channel,
        day,
        is_yes - coalesce(lag(is_yes) over (partition by source, contact_id, channel order by day), 0) as more_yes,
        (1 - is_yes) - coalesce(lag(1 - is_yes) over (partition by source, contact_id, channel order by day), 0)
            as more_no
    from said

)

select * from final
