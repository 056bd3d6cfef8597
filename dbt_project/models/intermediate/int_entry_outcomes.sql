-- What everybody bought who entered an audience with a campaign, within so many days that are over by now. Everybody
-- counts once per audience: in the group, and from the day, of the first entry within the window.
with

entries as (

    select
        audience,
        customer_id,
        min(as_of_date) as entered_on,
        min(test_group) as test_group
    from {{ ref('int_sends') }}
    where as_of_date > {{ days_before(as_of_date(), rule('uplift.window_days')) }}
    group by audience, customer_id
    having count(distinct test_group) = 1 -- two who have become one may be both, which is no comparison

),

observed as (

    {% for days in rule('uplift.after_days') %}
        select audience, customer_id, test_group, entered_on, {{ days }} as days
        from entries
        where {{ days_between('entered_on', as_of_date()) }} >= {{ days }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        observed.audience,
        observed.days,
        observed.customer_id,
        observed.test_group,
        cast(count(orders.order_id) as decimal(18, 2)) as orders,
        cast(coalesce(sum(orders.net_amount), 0) as decimal(18, 2)) as net_value
    from observed
    left join {{ ref('int_orders_valued') }} as orders
        on
            observed.customer_id = orders.customer_id
            and orders.is_purchase
            and observed.entered_on < orders.order_date
            and {{ days_between('observed.entered_on', 'orders.order_date') }} <= observed.days
    group by observed.audience, observed.days, observed.customer_id, observed.test_group

)

select * from final
