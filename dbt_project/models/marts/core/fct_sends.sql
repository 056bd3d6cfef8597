with

final as (

    select
        as_of_date,
        {{ send_instant('as_of_date') }} as sent_at,
        customer_id,
        customer_id_before,
        audience,
        entry_key,
        step,
        channel,
        template,
        test_group
    from {{ ref('int_sends') }}

)

select * from final
