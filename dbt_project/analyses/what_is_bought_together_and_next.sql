-- Which products do the same people buy, and which of the two comes next?
--
-- How to read: of each product its nearest neighbour (`similarity` 0-1, by the customers who bought both), and of
-- those who bought both, how many bought the neighbour on a later day (`then`), on the same (`together`) or before.
-- Much more `then` than `before`: offer it after the purchase. Mostly `together`: put it into the basket.
-- Mind: it goes by the first purchase of each product by each customer. metrics.product_affinity considers the latest
-- products of each customer only, so its n_both may be less than what is counted here.
with

neighbours as (

    select *
    from metrics.product_affinity
    where place = 1

),

first_bought as (

    select
        source,
        product_id,
        customer_id,
        min(order_date) as first_date
    from core.fct_order_lines
    where is_purchase and product_id is not null and customer_id is not null
    group by source, product_id, customer_id

)

select
    neighbours.source,
    neighbours.product_id,
    product.product_name,
    neighbours.other_product_id,
    other.product_name as other_product_name,
    neighbours.similarity,
    count(*) as customers,
    count(*) filter (where next.first_date > first_bought.first_date) as bought_then,
    count(*) filter (where next.first_date = first_bought.first_date) as bought_together,
    count(*) filter (where next.first_date < first_bought.first_date) as bought_before,
    median(next.first_date - first_bought.first_date) filter (
        where next.first_date > first_bought.first_date
    ) as median_days_until
from neighbours
inner join first_bought
    on neighbours.source = first_bought.source and neighbours.product_id = first_bought.product_id
inner join first_bought as next
    on
        neighbours.source = next.source
        and neighbours.other_product_id = next.product_id
        and first_bought.customer_id = next.customer_id
left join core.dim_products as product
    on neighbours.source = product.source and neighbours.product_id = product.product_id
left join core.dim_products as other
    on neighbours.source = other.source and neighbours.other_product_id = other.product_id
group by
    neighbours.source,
    neighbours.product_id,
    product.product_name,
    neighbours.other_product_id,
    other.product_name,
    neighbours.similarity
order by neighbours.similarity desc, neighbours.source asc, neighbours.product_id asc
