-- What one unit of a foreign currency was worth in the business's own, on every day that it was used.
with

rates as (

    select rate_date, currency, rate from {{ ref('exchange_rates') }}

    union all

    select rate_date, currency, rate from {{ source('reference', 'exchange_rates') }}

),

used as (

    select distinct currency, order_date
    from {{ ref('stg_orders') }}
    where currency <> '{{ var("currency") }}'

),

final as (

    select
        used.currency,
        used.order_date,
        max_by(rates.rate, rates.rate_date) as rate
    from used
    inner join rates
        on used.currency = rates.currency
        and rates.rate_date <= used.order_date
        and rates.rate_date >= {{ days_before('used.order_date', rule('currency.max_rate_age_days')) }}
    group by used.currency, used.order_date

)

select * from final
