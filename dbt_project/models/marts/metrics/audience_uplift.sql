-- What campaigns bring: customers who entered against those who would have and were sent nothing (intention to treat).
with

measured as (

    {% for measure in ['orders', 'net_value'] %}
        select
            audience,
            days,
            test_group,
            '{{ measure }}' as measure,
            {{ measure }} as amount
        from {{ ref('int_entry_outcomes') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

summed as (

    select
        audience,
        days,
        measure,
        test_group,
        count(*) as n,
        cast(sum(amount) as double) as total,
        cast(sum(amount * amount) as double) as squares
    from measured
    group by audience, days, measure, test_group

),

-- Each mean, and the variance of that mean.
sides as (

    select
        audience,
        days,
        measure,
        test_group,
        n,
        total / n as average,
        greatest(squares - power(total, 2) / n, 0) / nullif(n - 1, 0) / n as variance
    from summed

),

compared as (

    select
        audience,
        days,
        measure,
        coalesce(max(case when test_group = 'member' then n end), 0) as members,
        coalesce(max(case when test_group = 'holdout' then n end), 0) as holdouts,
        max(case when test_group = 'member' then average end) as member_mean,
        max(case when test_group = 'holdout' then average end) as holdout_mean,
        max(case when test_group = 'member' then variance end) as member_variance,
        max(case when test_group = 'holdout' then variance end) as holdout_variance
    from sides
    group by audience, days, measure

),

-- Welch's: the two sides may vary differently. Empty where nobody on either side did anything else than the others.
degrees as (

    select
        *,
        least(members, holdouts) >= {{ rule('uplift.minimum_customers') }} as are_enough,
        power(member_variance + holdout_variance, 2) / nullif(
            power(member_variance, 2) / (members - 1) + power(holdout_variance, 2) / (holdouts - 1), 0
        ) as degrees_of_freedom
    from compared

),

intervals as (

    select *, {{ t_95('degrees_of_freedom') }} * sqrt(member_variance + holdout_variance) as margin
    from degrees

),

final as (

    select
        audience,
        days,
        measure,
        cast(members as integer) as members,
        cast(holdouts as integer) as holdouts,
        cast(case when are_enough then member_mean end as decimal(18, 4)) as member_mean,
        cast(case when are_enough then holdout_mean end as decimal(18, 4)) as holdout_mean,
        cast(case when are_enough then member_mean - holdout_mean end as decimal(18, 4)) as difference,
        cast(case when are_enough then member_mean - holdout_mean - margin end as decimal(18, 4)) as ci_low,
        cast(case when are_enough then member_mean - holdout_mean + margin end as decimal(18, 4)) as ci_high
    from intervals

)

select * from final
