-- What campaigns bring: customers who entered against those who would have and were sent nothing (intention to treat).
with

summed as (

    {% for measure in ['orders', 'net_value'] %}
        select
            audience,
            days,
            '{{ measure }}' as measure,
            {% for side in ['member', 'holdout'] %}
                sum(case when test_group = '{{ side }}' then 1 else 0 end) as n_{{ side }},
                cast(sum(case when test_group = '{{ side }}' then {{ measure }} end) as double) as sum_{{ side }},
                cast(sum(case when test_group = '{{ side }}' then {{ measure }} * {{ measure }} end) as double)
                    as squares_{{ side }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_entry_outcomes') }}
        group by audience, days
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- Each mean, and the variance of that mean.
means as (

    select
        *,
        {% for side in ['member', 'holdout'] %}
            sum_{{ side }} / n_{{ side }} as mean_{{ side }},
            greatest(squares_{{ side }} - power(sum_{{ side }}, 2) / n_{{ side }}, 0)
            / (n_{{ side }} - 1) / n_{{ side }} as variance_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from summed
    where least(n_member, n_holdout) >= {{ rule('uplift.minimum_customers') }}

),

-- Welch's: the two sides may vary differently. Empty where nobody on either side did anything else than the others.
degrees as (

    select
        *,
        power(variance_member + variance_holdout, 2) / nullif(
            power(variance_member, 2) / (n_member - 1) + power(variance_holdout, 2) / (n_holdout - 1), 0
        ) as degrees_of_freedom
    from means

),

intervals as (

    select *, {{ t_95('degrees_of_freedom') }} * sqrt(variance_member + variance_holdout) as margin
    from degrees

),

final as (

    select
        summed.audience,
        summed.days,
        summed.measure,
        cast(summed.n_member as integer) as members,
        cast(summed.n_holdout as integer) as holdouts,
        cast(intervals.mean_member as decimal(18, 4)) as member_mean,
        cast(intervals.mean_holdout as decimal(18, 4)) as holdout_mean,
        cast(intervals.mean_member - intervals.mean_holdout as decimal(18, 4)) as difference,
        cast(intervals.mean_member - intervals.mean_holdout - intervals.margin as decimal(18, 4)) as ci_low,
        cast(intervals.mean_member - intervals.mean_holdout + intervals.margin as decimal(18, 4)) as ci_high
    from summed
    left join intervals
        on
            summed.audience = intervals.audience
            and summed.days = intervals.days
            and summed.measure = intervals.measure

)

select * from final
