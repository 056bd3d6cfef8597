-- Who has ordered since the end of the as-of date, as far as it has landed: like a no after the day, it can only keep
-- somebody off a list, never change what the day was like (docs/decisions/0006).
select distinct namespace as source, contact_id
from {{ source('landing', 'orders') }}
where not {{ is_known('ordered_at') }} and not coalesce(_is_deleted, false)
