-- What a message to a customer may be filled in with.
with

recommendations as (

    select customer_id, product_name from {{ ref('customer_recommendations') }}
    where place = 1

),

-- A language that nothing is written in is answered in the business's own.
languages as (

    select
        customers.customer_id,
        coalesce(greetings.language, '{{ var("language") }}') as language
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('greetings') }} as greetings
        on lower(split_part(replace(customers.language, '_', '-'), '-', 1)) = greetings.language

),

final as (

    select
        customers.customer_id,
        {{ as_of_date() }} as as_of_date,
        -- Whoever signs somebody else up chooses the name: what is more than a name greets nobody.
        coalesce(
            case
                when regexp_matches(trim(customers.first_name), '^[\p{L}\p{M}][\p{L}\p{M} .''’-]*$')
                    then trim(customers.first_name)
            end,
            greetings.greeting_name,
            ''
        ) as greeting_name,
        languages.language,
        preferences.preferred_category,
        recommendations.product_name as recommended_product,
        case
            when
                lifecycle.rung >= {{ rule('audiences.full_price_from_rung') }}
                or preferences.discount_preference = 'full price'
                then 'none'
            else 'allowed'
        end as coupon_policy,
        {{ next_birthday('customers.birth_date') }} as next_birthday
    from {{ ref('dim_customers') }} as customers
    inner join languages on customers.customer_id = languages.customer_id
    inner join {{ ref('customer_lifecycle') }} as lifecycle on customers.customer_id = lifecycle.customer_id
    inner join {{ ref('customer_preferences') }} as preferences on customers.customer_id = preferences.customer_id
    left join {{ ref('greetings') }} as greetings on languages.language = greetings.language
    left join recommendations on customers.customer_id = recommendations.customer_id

)

select * from final
