-- What goes together with what a customer bought last, and they have not bought: the first of it to be offered.
with

bought as (

    select customer_number, product_number from {{ ref('int_customer_products') }}

),

recently_bought as (

    select customer_number, product_number from {{ ref('int_customer_products') }}
    where place <= {{ rule('recommendations.recent_products') }}

),

on_sale as (

    select product_number from {{ ref('int_sold_products') }}
    where last_sold_date > {{ days_before(as_of_date(), rule('recommendations.sold_within_days')) }}

),

neighbours as (

    select
        neighbours.product_number as because_number,
        neighbours.other_product_number as product_number,
        neighbours.similarity,
        neighbours.tie
    from {{ ref('int_product_neighbours') }} as neighbours
    inner join on_sale on neighbours.other_product_number = on_sale.product_number

),

related as (

    select
        recently_bought.customer_number,
        neighbours.product_number,
        sum(neighbours.similarity) as score,
        min(neighbours.tie) as tie
    from recently_bought
    inner join neighbours on recently_bought.product_number = neighbours.because_number
    group by recently_bought.customer_number, neighbours.product_number

),

final as (

    select
        related.customer_number,
        related.product_number,
        related.tie,
        cast(row_number() over (
            partition by related.customer_number
            order by related.score desc, related.product_number asc
        ) as integer) as place
    from related
    left join bought
        on
            related.customer_number = bought.customer_number
            and related.product_number = bought.product_number
    where bought.customer_number is null
    qualify place <= {{ rule('recommendations.per_customer') }}

)

select * from final
