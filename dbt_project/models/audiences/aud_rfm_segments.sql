-- One audience for each RFM segment.
select
    'rfm_' || {{ slug('segment') }} as audience,
    customer_id,
    segment || ': last bought ' || cast(recency_days as varchar) || ' days ago, ' || cast(frequency as varchar)
        || ' orders worth ' || cast(monetary as varchar) as why,
    segment as entry_key
from {{ ref('customer_rfm') }}
