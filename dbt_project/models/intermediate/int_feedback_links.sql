-- What happened before an answer: the order that it is about, and the latest ticket.
with

answers as (

    select source, response_id, customer_id, order_id, answered_at, answer_date
    from {{ ref('int_feedback_answers') }}
    where given_in = 'survey'

),

-- The order that the survey names, in its own source or among the customer's. One that nobody knows is not replaced.
named as (

    select
        answers.source,
        answers.response_id,
        orders.source as order_source,
        orders.order_id,
        'named by the survey' as linked_by
    from answers
    inner join {{ ref('int_orders_valued') }} as orders
        on
            answers.order_id = orders.order_id
            and (answers.source = orders.source or answers.customer_id = orders.customer_id)
    qualify row_number() over (
        partition by answers.source, answers.response_id
        order by case when answers.source = orders.source then 0 else 1 end, orders.source
    ) = 1

),

latest_purchases as (

    select
        answers.source,
        answers.response_id,
        orders.source as order_source,
        orders.order_id,
        'latest purchase' as linked_by
    from answers
    inner join {{ ref('int_orders_valued') }} as orders
        on
            answers.customer_id = orders.customer_id
            and answers.answered_at >= orders.ordered_at
            and orders.order_date > {{ days_before('answers.answer_date', rule('feedback.order_days')) }}
    where answers.order_id is null and orders.is_purchase
    qualify row_number() over (
        partition by answers.source, answers.response_id
        order by orders.ordered_at desc, orders.order_id desc, orders.source desc
    ) = 1

),

orders as (

    select * from named

    union all

    select * from latest_purchases

),

tickets as (

    select
        answers.source,
        answers.response_id,
        tickets.source as ticket_source,
        tickets.ticket_id,
        'latest ticket' as linked_by
    from answers
    inner join {{ ref('int_customer_identities') }} as identities on answers.customer_id = identities.customer_id
    inner join {{ ref('stg_tickets') }} as tickets
        on
            identities.source = tickets.source
            and identities.contact_id = tickets.contact_id
            and answers.answered_at >= tickets.opened_at
            and tickets.opened_date > {{ days_before('answers.answer_date', rule('feedback.ticket_days')) }}
    qualify row_number() over (
        partition by answers.source, answers.response_id
        order by tickets.opened_at desc, tickets.ticket_id desc, tickets.source desc
    ) = 1

),

final as (

    select
        answers.source,
        answers.response_id,
        orders.order_source as linked_order_source,
        orders.order_id as linked_order_id,
        orders.linked_by as order_linked_by,
        tickets.ticket_source as linked_ticket_source,
        tickets.ticket_id as linked_ticket_id,
        tickets.linked_by as ticket_linked_by
    from answers
    left join orders on answers.source = orders.source and answers.response_id = orders.response_id
    left join tickets on answers.source = tickets.source and answers.response_id = tickets.response_id

)

select * from final
