-- What one message costs on each channel, in the business's currency: the company's own word where it has one.
with

own as (

    select channel, currency, cost_per_message from {{ source('reference', 'contact_costs') }}
    where currency = '{{ var("currency") }}'

),

final as (

    select channel, cost_per_message from own

    union all

    select channel, cost_per_message from {{ ref('contact_costs') }}
    where
        currency = '{{ var("currency") }}'
        and channel not in (select own.channel from own)

)

select * from final
