-- What sells best of late, of each category and of all: as many of each as a product has neighbours.
with

ranked as (

    select
        product_number,
        category,
        cast(row_number() over (
            partition by category
            order by customers desc, product_number asc
        ) as integer) as place_in_category,
        cast(row_number() over (order by customers desc, product_number asc) as integer) as place_of_all
    from {{ ref('int_sold_products') }}
    where last_sold_date > {{ days_before(as_of_date(), rule('recommendations.sold_within_days')) }}

),

final as (

    select product_number, category, place_in_category as place
    from ranked
    where category is not null and place_in_category <= {{ rule('recommendations.neighbours') }}

    union all

    select product_number, cast(null as varchar) as category, place_of_all as place
    from ranked
    where place_of_all <= {{ rule('recommendations.neighbours') }}

)

select * from final
