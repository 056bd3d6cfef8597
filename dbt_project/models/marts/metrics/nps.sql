with

sliced as (

    {{ feedback_slices('nps') }}

),

counted as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        {{ count_where("role = 'answer'") }} as n_responses,
        {{ count_where("role = 'answer' and " ~ nps_group("'nps'", 'score') ~ " = 'promoter'") }} as promoters,
        {{ count_where("role = 'answer' and " ~ nps_group("'nps'", 'score') ~ " = 'passive'") }} as passives,
        {{ count_where("role = 'answer' and " ~ nps_group("'nps'", 'score') ~ " = 'detractor'") }} as detractors,
        {{ count_where("role = 'invitation'") }} as n_sent,
        {{ count_where("role = 'invitation' and score is not null") }} as n_sent_answered
    from sliced
    group by period_grain, period_start, dimension, dimension_value

),

measured as (

    select
        *,
        n_responses >= {{ rule('nps.minimum_responses') }} as is_shown,
        (promoters - detractors) / cast(nullif(n_responses, 0) as double) as score,
        -- The customary 1.96, not z_95(): the second decimal of published intervals would change.
        1.96 * sqrt(
            (
                (promoters + detractors) / cast(nullif(n_responses, 0) as double)
                - power((promoters - detractors) / cast(nullif(n_responses, 0) as double), 2)
            ) / nullif(n_responses, 0)
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
        promoters,
        passives,
        detractors,
        case when is_shown then cast(round(100 * score, 2) as decimal(6, 2)) end as nps,
        case when is_shown then cast(round(100 * greatest(score - margin, -1), 2) as decimal(6, 2)) end as ci_low,
        case when is_shown then cast(round(100 * least(score + margin, 1), 2) as decimal(6, 2)) end as ci_high,
        n_sent,
        n_sent_answered,
        {{ share('n_sent_answered', 'n_sent', rule('nps.minimum_responses')) }} as response_rate
    from measured

)

select * from final
