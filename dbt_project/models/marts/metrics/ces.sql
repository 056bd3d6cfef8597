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
measured as (

    select
        *,
        n_responses >= {{ rule('ces.minimum_responses') }} as is_shown,
        total / cast(nullif(n_responses, 0) as double) as mean,
        {{ t_95('nullif(n_responses - 1, 0)') }} * sqrt(
            (n_responses * total_of_squares - total * total)
            / nullif(cast(n_responses as double) * n_responses * (n_responses - 1), 0)
        ) as margin
    from counted

),

final as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        n_responses,
        case when is_shown then cast(round(mean, 2) as decimal(4, 2)) end as ces,
        case when is_shown then cast(round(greatest(mean - margin, 1), 2) as decimal(4, 2)) end as ci_low,
        case when is_shown then cast(round(least(mean + margin, 7), 2) as decimal(4, 2)) end as ci_high,
        n_sent,
        n_sent_answered,
        {{ share('n_sent_answered', 'n_sent', rule('ces.minimum_responses')) }} as response_rate
    from measured

)

select * from final
