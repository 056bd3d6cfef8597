with

population as (

    -- What is usual between a first and a second purchase: the yardstick for those who bought once.
    select median(cast(gap_days as double)) as second_gap_days
    from (
        select gap_days
        from {{ ref('int_purchase_days') }}
        where gap_days is not null
        qualify row_number() over (partition by customer_id order by purchase_date) = 1
    ) as second_purchases

),

paced as (

    select
        customers.customer_id,
        lifecycle.rung,
        cadence.current_gap_days,
        least(
            greatest(
                coalesce(cadence.median_gap_days, population.second_gap_days, {{ rule('journey.usual_gap_cap_days') }}),
                {{ rule('journey.usual_gap_floor_days') }}
            ),
            {{ rule('journey.usual_gap_cap_days') }}
        ) as usual_gap_days
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('customer_lifecycle') }} as lifecycle on customers.customer_id = lifecycle.customer_id
    left join {{ ref('int_customer_cadence') }} as cadence on customers.customer_id = cadence.customer_id
    cross join population

),

final as (

    select
        customer_id,
        {{ as_of_date() }} as as_of_date,
        case
            when current_gap_days > {{ rule('journey.churned_gap_factor') }} * usual_gap_days then 'churned'
            when rung = 1 then 'awareness'
            when rung = 2 then 'consideration'
            when rung <= 4 then 'conversion'
            else 'loyal'
        end as stage,
        coalesce(
            current_gap_days > {{ rule('journey.at_risk_gap_factor') }} * usual_gap_days
            and current_gap_days <= {{ rule('journey.churned_gap_factor') }} * usual_gap_days, false
        ) as is_at_risk,
        current_gap_days,
        case when current_gap_days is not null then usual_gap_days end as usual_gap_days
    from paced

)

select * from final
