with

sliced as (

    {{ feedback_slices('ces') }}

),

counted as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        {{ count_where("role = 'answer'") }} as n_responses,
        sum(case when role = 'answer' then score end) as total,
        sum(case when role = 'answer' then score * score end) as total_of_squares,
        {{ count_where("role = 'invitation'") }} as n_sent,
        {{ count_where("role = 'invitation' and score is not null") }} as n_sent_answered
    from sliced
    group by period_grain, period_start, dimension, dimension_value

),

-- Whole numbers up to here, so that the variance comes out the same in whatever order the rows lie.
shown as (

    select
        *,
        total / cast(n_responses as double) as mean,
        sqrt(
            (n_responses * total_of_squares - total * total)
            / (cast(n_responses as double) * n_responses * (n_responses - 1))
        ) as standard_error
    from counted
    where n_responses >= {{ rule('ces.minimum_responses') }}

),

measured as (

    select
        *,
        {{ t_95('(n_responses - 1)') }} * standard_error as margin
    from shown

),

final as (

    select
        counted.period_grain,
        counted.period_start,
        counted.dimension,
        counted.dimension_value,
        counted.n_responses,
        cast(round(measured.mean, 2) as decimal(4, 2)) as ces,
        cast(round(greatest(measured.mean - measured.margin, 1), 2) as decimal(4, 2)) as ci_low,
        cast(round(least(measured.mean + measured.margin, 7), 2) as decimal(4, 2)) as ci_high,
        counted.n_sent,
        counted.n_sent_answered,
        {{ share('counted.n_sent_answered', 'counted.n_sent', rule('ces.minimum_responses')) }} as response_rate
    from counted
    left join measured
        on
            counted.period_grain = measured.period_grain
            and counted.period_start is not distinct from measured.period_start
            and counted.dimension = measured.dimension
            and counted.dimension_value = measured.dimension_value

)

select * from final
