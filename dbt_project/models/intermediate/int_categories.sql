-- A number for every category that was sold or is named as an interest, in the order of the names. Few names stand in
-- very many rows: their numbers are quicker to count and to sort by.
with

categories as (

    select category from {{ ref('int_sold_products') }}
    where category is not null

    union distinct

    select category from {{ ref('int_customer_categories') }}

    union distinct

    select category from {{ ref('int_stated_interests') }}

),

final as (

    select
        category,
        cast(
            case when category = '(other)' then 0 else row_number() over (order by category) end as integer
        ) as category_number
    from categories

)

select * from final
