with

sliced as (

    {{ feedback_slices('csat') }}

),

counted as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        {{ count_where("role = 'answer'") }} as n_responses,
        {{ count_where("role = 'answer' and score >= " ~ rule('csat.satisfied_score')) }} as satisfied,
        {{ count_where("role = 'invitation'") }} as n_sent,
        {{ count_where("role = 'invitation' and score is not null") }} as n_sent_answered
    from sliced
    group by period_grain, period_start, dimension, dimension_value

),

final as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        n_responses,
        satisfied,
        {{ share('satisfied', 'n_responses', rule('csat.minimum_responses')) }} as csat,
        case
            when n_responses >= {{ rule('csat.minimum_responses') }}
                then {{ rate(wilson('satisfied', 'n_responses', '-')) }}
        end as ci_low,
        case
            when n_responses >= {{ rule('csat.minimum_responses') }}
                then {{ rate(wilson('satisfied', 'n_responses', '+')) }}
        end as ci_high,
        n_sent,
        n_sent_answered,
        {{ share('n_sent_answered', 'n_sent', rule('csat.minimum_responses')) }} as response_rate
    from counted

)

select * from final
