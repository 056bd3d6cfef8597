-- What a customer has brought and what it cost to win it: so far, and within the window of the rules.
with

orders as (

    select * from {{ ref('fct_orders') }}
    where is_purchase

),

sales as (

    select
        customer_id,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        cast(count(*) as integer) as orders,
        cast(sum(net_amount) as decimal(18, 2)) as net_value,
        cast(sum(discount_amount) as decimal(18, 2)) as discount_given,
        cast(sum(case when {{ is_in_window('order_date') }} then 1 else 0 end) as integer) as orders_in_window,
        cast(sum(case when {{ is_in_window('order_date') }} then net_amount else 0 end) as decimal(18, 2))
            as net_value_in_window,
        cast(sum(case when {{ is_in_window('order_date') }} then discount_amount else 0 end) as decimal(18, 2))
            as discount_given_in_window
    from orders
    group by customer_id

),

joined as (

    select
        customers.customer_id,
        sales.first_order_date,
        sales.last_order_date,
        coalesce(sales.orders, 0) as orders,
        coalesce(sales.net_value, 0) as net_value,
        coalesce(sales.discount_given, 0) as discount_given,
        coalesce(sales.orders_in_window, 0) as orders_in_window,
        coalesce(sales.net_value_in_window, 0) as net_value_in_window,
        coalesce(sales.discount_given_in_window, 0) as discount_given_in_window,
        coalesce(contacts.messages, 0) as messages,
        coalesce(contacts.messages_in_window, 0) as messages_in_window,
        case when contacts.customer_id is null then 0 else contacts.contact_cost end as contact_cost,
        case when contacts.customer_id is null then 0 else contacts.contact_cost_in_window end
            as contact_cost_in_window,
        expected.expected_net_value,
        expected.why as expected_value_why
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('customer_expected_value') }} as expected on customers.customer_id = expected.customer_id
    left join sales on customers.customer_id = sales.customer_id
    left join {{ ref('int_customer_contacts') }} as contacts on customers.customer_id = contacts.customer_id

),

margins as (

    select
        *,
        cast(net_value * {{ rule('economics.margin_share') }} as decimal(18, 2)) as margin,
        cast(net_value_in_window * {{ rule('economics.margin_share') }} as decimal(18, 2)) as margin_in_window
    from joined

),

final as (

    select
        customer_id,
        {{ as_of_date() }} as as_of_date,
        first_order_date,
        last_order_date,
        orders,
        cast(net_value as decimal(18, 2)) as net_value,
        cast(discount_given as decimal(18, 2)) as discount_given,
        margin,
        messages,
        cast(contact_cost as decimal(18, 4)) as contact_cost,
        cast(margin - contact_cost as decimal(18, 4)) as contribution,
        orders_in_window,
        cast(net_value_in_window as decimal(18, 2)) as net_value_in_window,
        cast(discount_given_in_window as decimal(18, 2)) as discount_given_in_window,
        margin_in_window,
        messages_in_window,
        cast(contact_cost_in_window as decimal(18, 4)) as contact_cost_in_window,
        cast(margin_in_window - contact_cost_in_window as decimal(18, 4)) as contribution_in_window,
        expected_net_value,
        expected_value_why
    from margins

)

select * from final
