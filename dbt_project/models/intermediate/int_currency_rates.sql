-- What one unit of a foreign currency was worth in the business's own, on every day that it was used.
with

rates as (

    select rate_date, currency, rate, 0 as is_own from {{ ref('exchange_rates') }}

    union all

    select rate_date, currency, rate, 1 as is_own from {{ source('reference', 'exchange_rates') }}

),

used as (

    select distinct currency, order_date
    from {{ ref('stg_orders') }}
    where currency <> '{{ var("currency") }}'

),

-- The newest rate that is not too old; of two for one day the company's own.
final as (

    select
        used.currency,
        used.order_date,
        rates.rate
    from used
    inner join rates
        on
            used.currency = rates.currency
            and used.order_date >= rates.rate_date
            and rates.rate_date >= {{ days_before('used.order_date', rule('currency.max_rate_age_days')) }}
    qualify row_number() over (
        partition by used.currency, used.order_date
        order by rates.rate_date desc, rates.is_own desc, rates.rate desc
    ) = 1

)

select * from final
