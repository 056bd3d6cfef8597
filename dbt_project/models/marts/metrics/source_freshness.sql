with

final as (

    select
        source,
        entity,
        {{ as_of_date() }} as as_of_date,
        load,
        last_landed_day,
        landed_rows,
        watermark,
        days_behind,
        is_stale,
        missing_days
    from {{ ref('stg_source_freshness') }}

)

select * from final
