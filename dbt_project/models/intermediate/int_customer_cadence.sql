-- How often a customer buys: purchase days, the median gap between them, and how long the last one is ago.
with

final as (

    select
        customer_id,
        cast(count(*) as integer) as purchase_days,
        min(purchase_date) as first_purchase_date,
        max(purchase_date) as last_purchase_date,
        median(cast(gap_days as double)) as median_gap_days,
        {{ days_between('max(purchase_date)', as_of_date()) }} as current_gap_days
    from {{ ref('int_purchase_days') }}
    group by customer_id

)

select * from final
