-- Complainers against others like them: the others' rate is what the complainers' would be if, month by month and for
-- as many purchase days, they bought again as often as those who had no complaint (direct standardisation).
with

cells as (

    select
        month,
        complainers,
        complainers_back,
        others,
        others_back / cast(others as double) as others_rate
    from {{ ref('int_recovery_counts') }}
    where complainers > 0 and others > 0

),

periods as (

    select 'all' as period_grain, cast(null as date) as period_start, cells.* from cells

    union all

    select 'month' as period_grain, cells.month as period_start, cells.* from cells

),

-- Sums of decimals, which come out the same in whatever order the rows lie.
summed as (

    select
        period_grain,
        period_start,
        cast(sum(complainers) as integer) as customers,
        cast(sum(complainers_back) as integer) as bought_again,
        cast(sum(others) as integer) as comparison_customers,
        sum(cast(complainers * others_rate as decimal(18, 8))) as expected,
        sum(cast(power(complainers, 2) * others_rate * (1 - others_rate) / others as decimal(18, 8))) as variance
    from periods
    group by period_grain, period_start

),

rates as (

    select
        period_grain,
        period_start,
        bought_again / cast(customers as double) as rate,
        {{ wilson('bought_again', 'customers', '-') }} as low,
        {{ wilson('bought_again', 'customers', '+') }} as high,
        cast(expected as double) / customers as comparison,
        {{ z_95() }} * sqrt(cast(variance as double)) / customers as margin
    from summed
    where least(customers, comparison_customers) >= {{ rule('service.minimum_tickets') }}

),

-- The interval of a difference from those of its two rates (Newcombe's square-and-add).
compared as (

    select
        *,
        greatest(comparison - margin, 0) as comparison_low,
        least(comparison + margin, 1) as comparison_high
    from rates

),

final as (

    select
        summed.period_grain,
        summed.period_start,
        summed.customers,
        summed.bought_again,
        {{ rate('compared.rate') }} as rate,
        {{ rate('compared.low') }} as ci_low,
        {{ rate('compared.high') }} as ci_high,
        summed.comparison_customers,
        {{ rate('compared.comparison') }} as comparison_rate,
        {{ rate('compared.comparison_low') }} as comparison_ci_low,
        {{ rate('compared.comparison_high') }} as comparison_ci_high,
        {{ rate('compared.rate - compared.comparison') }} as difference,
        {{ rate('compared.rate - compared.comparison - sqrt(
            power(compared.rate - compared.low, 2) + power(compared.comparison_high - compared.comparison, 2)
        )') }} as difference_ci_low,
        {{ rate('compared.rate - compared.comparison + sqrt(
            power(compared.high - compared.rate, 2) + power(compared.comparison - compared.comparison_low, 2)
        )') }} as difference_ci_high
    from summed
    left join compared
        on
            summed.period_grain = compared.period_grain
            and summed.period_start is not distinct from compared.period_start

)

select * from final
