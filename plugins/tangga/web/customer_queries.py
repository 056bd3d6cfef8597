"""What the page of a customer asks the published version."""

SEARCH = """
    with named as (
        select customer_id, 'customer id' as found_by from core.dim_customers where customer_id = $id
        union all
        select customer_id, 'earlier customer id' from core.customer_id_aliases where customer_id_before = $id
        union all
        select customer_id, 'id in ' || source from core.customer_identities where contact_id in ($id, $hashed)
        union all
        select customer_id, 'e-mail' from core.dim_customers where email = $email
        union all
        select customer_id, 'telephone' from core.dim_customers where phone = $phone
    )

    select customers.customer_id, customers.first_name, customers.last_name, customers.city, lifecycle.rung_name,
        string_agg(distinct named.found_by, ', ' order by named.found_by) as found_by
    from named
    inner join core.dim_customers as customers on named.customer_id = customers.customer_id
    left join customer.customer_lifecycle as lifecycle on customers.customer_id = lifecycle.customer_id
    group by all
    order by customers.customer_id
    limit $rows
"""

PERSON = """
    select view_360.*, customers.first_name, customers.last_name, customers.email, customers.phone,
        customers.birth_date, customers.gender, customers.occupation, customers.interests, customers.n_records,
        customers.has_invalid_email, lifecycle.purchase_days, lifecycle.median_gap_days,
        lifecycle.current_gap_days, value.first_order_date, value.last_order_date, value.discount_given
    from customer.customer_360 as view_360
    inner join core.dim_customers as customers on view_360.customer_id = customers.customer_id
    left join customer.customer_lifecycle as lifecycle on view_360.customer_id = lifecycle.customer_id
    left join customer.customer_value as value on view_360.customer_id = value.customer_id
    where view_360.customer_id = $id
"""

NOW_CALLED = "select customer_id from core.customer_id_aliases where customer_id_before = $id"

EARLIER = "select customer_id_before from core.customer_id_aliases where customer_id = $id order by 1"

RECORDS = """
    select source, contact_id, is_listed
    from core.customer_identities
    where customer_id = $id
    order by is_listed desc, source, contact_id
"""

RUNGS = """
    select rung, rung_name, valid_from, valid_to, days, reason, previous_rung, began_before
    from customer.customer_lifecycle_history
    where customer_id = $id
    order by valid_from desc
"""

CONSENTS = """
    select channel, purpose, status, valid_from
    from customer.customer_consents
    where customer_id = $id and is_current
    order by channel, purpose
"""

CHANNELS = """
    select channel, is_contactable, reason
    from customer.customer_contactability
    where customer_id = $id
    order by is_contactable desc, channel
"""

AUDIENCES = """
    with every as (
        select distinct audience
        from audiences.audience_sizes
        where as_of_date = (select max(as_of_date) from audiences.audience_sizes)
    )

    select every.audience, members.why, members.entered_on, members.step, members.is_due, members.postponed_why,
        exclusions.reason, exclusions.outranked_by
    from every
    left join audiences.audience_members as members
        on every.audience = members.audience and members.customer_id = $id
    left join audiences.audience_exclusions as exclusions
        on every.audience = exclusions.audience and exclusions.customer_id = $id
    order by every.audience
"""

RECOMMENDATIONS = """
    select place, product_name, category, why
    from customer.customer_recommendations
    where customer_id = $id
    order by place
"""

TIMELINE = """
    with entries as (
        select ordered_at as happened_at, 'order' as kind, status as what,
            coalesce(channel || ', ', '') || currency || ' ' || format('{:,}', cast(net_amount as bigint))
            || case when is_discounted then ', discounted' else '' end as details
        from core.fct_orders
        where customer_id = $id
        union all
        select min(occurred_at), 'message', string_agg(event, ', ' order by occurred_at, event),
            concat_ws(', ', any_value(channel), any_value(campaign), any_value(audience))
        from core.fct_messages
        where customer_id = $id
        group by source, message_id
        union all
        select opened_at, 'ticket', kind,
            concat_ws(', ', topic, channel, case when is_resolved then 'solved' else 'open' end)
        from core.fct_tickets
        where customer_id = $id
        union all
        select answered_at, 'answer', kind || ' ' || score, concat_ws(': ', touchpoint, comment)
        from core.fct_survey_responses
        where customer_id = $id and answered_at is not null
        union all
        select status_at, 'consent', status, concat_ws(', ', channel, purpose, method)
        from core.fct_consents
        where customer_id = $id
        union all
        select refunded_at, 'refund', 'refund', format('{:,}', cast(amount as bigint)) || coalesce(', ' || reason, '')
        from core.fct_refunds
        where customer_id = $id
    )

    select happened_at, kind, what, details
    from entries
    where happened_at is not null
    order by happened_at desc, kind, what, details
    limit $rows
"""
