-- One audience for each RFM segment.
select
    'rfm_' || {{ slug('segment') }} as audience,
    customer_id,
    segment || ': last bought ' || {{ days_in_words('recency_days') }} || ' ago, ' || cast(frequency as varchar)
    || case when frequency = 1 then ' order' else ' orders' end || ' worth ' || {{ money_in_words('monetary') }} as why,
    segment as entry_key
from {{ ref('customer_rfm') }}
