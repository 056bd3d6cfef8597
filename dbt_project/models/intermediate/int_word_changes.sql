-- The days on which a record's word on being written to on a channel turned: yes by a consent, no by a refusal, an
-- unsubscribe or a complaint; of one day the last word, at the same instant the no, and a complaint is for good. A yes
-- that was to be confirmed and was not is neither, and only waits as long as nothing else was said.
with

words as (

    select
        consents.source,
        consents.contact_id,
        consents.channel,
        consents.status_at as said_at,
        case when consents.status = 'granted' then 1 else 0 end as is_yes,
        case
            when {{ is_confirmed('consents.channel', 'consents.method') }} or consents.status <> 'granted' then 1
            else 0
        end as counts,
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
        1,
        case when event = 'complained' then 1 else 0 end
    from {{ ref('stg_messages') }}
    where contact_id is not null and event in ('unsubscribed', 'complained')

),

heard as (

    select
        *,
        {{ local_date('said_at') }} as day,
        max(counts) over (partition by source, contact_id, channel order by said_at) as has_counted,
        max(is_for_good) over (partition by source, contact_id, channel order by said_at) as is_over
    from words

),

said as (

    select
        source,
        contact_id,
        channel,
        day,
        is_yes * counts * (1 - is_over) as is_yes,
        1 - counts as is_waiting
    from heard
    where counts = has_counted
    qualify row_number() over (
        partition by source, contact_id, channel, day
        order by said_at desc, is_yes asc
    ) = 1

),

final as (

    select
        source,
        contact_id,
        channel,
        day,
        is_yes - coalesce(lag(is_yes) over so_far, 0) as more_yes,
        1 - is_yes - is_waiting - coalesce(lag(1 - is_yes - is_waiting) over so_far, 0) as more_no,
        is_waiting - coalesce(lag(is_waiting) over so_far, 0) as more_waiting
    from said
    window so_far as (partition by source, contact_id, channel order by day)

)

select * from final
