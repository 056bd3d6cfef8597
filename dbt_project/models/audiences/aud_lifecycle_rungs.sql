-- One audience for each rung of the ladder.
select
    'rung_' || cast(rung as varchar) || '_' || {{ slug('rung_name') }} as audience,
    customer_id,
    rung_name || ': ' || reason as why,
    rung_name as entry_key
from {{ ref('customer_lifecycle') }}
