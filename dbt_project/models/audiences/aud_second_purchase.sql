-- First-time customers, when a second order is due.
select
    'second_purchase' as audience,
    customer_id,
    'bought on one day, ' || {{ days_in_words('current_gap_days') }} || ' ago' as why,
    cast(as_of_date - current_gap_days as varchar) as entry_key
from {{ ref('customer_lifecycle') }}
where
    rung = 3
    and current_gap_days between {{ rule('audiences.second_purchase_from_days') }}
    and {{ rule('audiences.second_purchase_to_days') }}
