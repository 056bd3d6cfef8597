-- Who has ordered since the end of the as-of date: what invites to an order comes too late for them.
select distinct
    identities.customer_id,
    {{ as_of_date() }} as as_of_date
from {{ ref('stg_late_orders') }} as late
inner join {{ ref('int_customer_identities') }} as identities
    on
        late.source = identities.source
        and late.contact_id = identities.contact_id
