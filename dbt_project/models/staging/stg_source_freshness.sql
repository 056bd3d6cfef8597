select
    source,
    entity,
    load,
    last_landed_day,
    landed_rows,
    watermark,
    days_behind,
    is_stale,
    missing_days
from {{ source('landing', 'freshness') }}
