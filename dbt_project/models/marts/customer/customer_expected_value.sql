-- What a customer is expected to bring until the end of the horizon, or why that is not said.
with

fits as (

    select * from {{ source('estimates', 'fits') }}

),

joined as (

    select
        customers.customer_id,
        coalesce(fits.status, 'off') as model_status,
        fits.reason,
        fits.horizon_end_date,
        estimates.purchase_days,
        {{ days_between('estimates.first_purchase_date', 'estimates.last_purchase_date') }} as recency_days,
        {{ days_between('estimates.last_purchase_date', as_of_date()) }} as current_gap_days,
        estimates.probability_alive,
        estimates.expected_purchases,
        estimates.expected_average_value,
        estimates.expected_net_value
    from {{ ref('dim_customers') }} as customers
    left join fits on true
    left join {{ source('estimates', 'customers') }} as estimates on customers.customer_id = estimates.customer_id

),

final as (

    select
        customer_id,
        {{ as_of_date() }} as as_of_date,
        model_status,
        probability_alive,
        expected_purchases,
        expected_average_value,
        expected_net_value,
        cast(expected_net_value * {{ rule('economics.margin_share') }} as decimal(18, 2)) as expected_margin,
        {{ expected_value_reason() }} as why
    from joined

)

select * from final
