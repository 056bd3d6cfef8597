-- Customers who buy without discounts: to be kept out of discount campaigns.
select
    'full_price' as audience,
    customer_id,
    rung_name || ', ' || reason as why,
    rung_name as entry_key
from {{ ref('customer_lifecycle') }}
where rung >= {{ rule('audiences.full_price_from_rung') }}
