-- Carts that were begun and left; each source numbers its own. An order since the cart began counts, also one before
-- the delay is over.
with

-- Only what was touched of late is asked when it was begun.
touched as (

    select distinct customer_id, source, cart_id
    from {{ ref('fct_events') }}
    where
        event_type in ('add_to_cart', 'checkout')
        and customer_id is not null
        and cart_id is not null
        and occurred_at >= {{ as_of_end() }} - interval '{{ rule("audiences.cart_days") }}' day

),

carts as (

    select
        events.customer_id,
        events.source,
        events.cart_id,
        min(events.occurred_at) as began_at,
        max(events.occurred_at) as touched_at
    from {{ ref('fct_events') }} as events
    inner join touched
        on
            events.customer_id = touched.customer_id
            and events.source = touched.source
            and events.cart_id = touched.cart_id
    where events.event_type in ('add_to_cart', 'checkout')
    group by events.customer_id, events.source, events.cart_id

),

left_behind as (

    select carts.*
    from carts
    left join {{ ref('fct_orders') }} as orders
        on
            carts.customer_id = orders.customer_id
            and carts.began_at <= orders.ordered_at
    where
        orders.order_id is null
        and carts.touched_at <= cast('{{ var("as_of_end_utc") }}' as timestamp)
        - interval '{{ rule("audiences.cart_delay_hours") }}' hour

)

select
    'cart_abandonment' as audience,
    customer_id,
    'left a cart on '
    || cast({{ local_date('touched_at') }} as varchar)
    || ' and has not ordered since it was begun' as why,
    cart_id as entry_key
from left_behind
qualify row_number() over (partition by customer_id order by touched_at desc, cart_id desc, source asc) = 1
