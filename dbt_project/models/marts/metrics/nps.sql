-- Of each customer and survey the latest answer of a period counts; an answer without a person counts by itself.
with

answers as (

    select
        responses.customer_id,
        coalesce(responses.customer_id, responses.source || ':' || responses.response_id) as respondent,
        responses.survey,
        responses.answered_at,
        responses.source,
        responses.answer_date,
        responses.response_id,
        responses.score,
        responses.nps_group,
        responses.touchpoint,
        lifecycle.rung_name,
        rfm.segment
    from {{ ref('fct_survey_responses') }} as responses
    left join {{ ref('customer_lifecycle') }} as lifecycle on responses.customer_id = lifecycle.customer_id
    left join {{ ref('customer_rfm') }} as rfm on responses.customer_id = rfm.customer_id
    where responses.nps_group is not null

),

periods as (

    select 'all' as period_grain, cast(null as date) as period_start, answers.*
    from answers

    union all

    select 'window', {{ days_before(as_of_date(), rule('nps.window_days') - 1) }}, answers.*
    from answers
    where answers.answer_date > {{ days_before(as_of_date(), rule('nps.window_days')) }}

    union all

    select 'month', cast(date_trunc('month', answers.answer_date) as date), answers.*
    from answers

),

latest as (

    select *
    from periods
    qualify row_number() over (
        partition by period_grain, period_start, respondent, survey
        order by answered_at desc, response_id desc, source desc
    ) = 1

),

sliced as (

    {% for dimension, value in [
        ('all', "'all'"), ('rung', 'rung_name'), ('segment', 'segment'), ('touchpoint', 'touchpoint'),
    ] %}
        select period_grain, period_start, '{{ dimension }}' as dimension, {{ value }} as dimension_value, nps_group
        from latest
        where {{ value }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select
        period_grain,
        period_start,
        dimension,
        dimension_value,
        cast(count(*) as integer) as n_responses,
        cast(sum(case when nps_group = 'promoter' then 1 else 0 end) as integer) as promoters,
        cast(sum(case when nps_group = 'passive' then 1 else 0 end) as integer) as passives,
        cast(sum(case when nps_group = 'detractor' then 1 else 0 end) as integer) as detractors
    from sliced
    group by period_grain, period_start, dimension, dimension_value

),

measured as (

    select
        *,
        n_responses >= {{ rule('nps.minimum_responses') }} as is_shown,
        (promoters - detractors) / cast(n_responses as double) as score,
        1.96 * sqrt(
            (
                (promoters + detractors) / cast(n_responses as double)
                - power((promoters - detractors) / cast(n_responses as double), 2)
            ) / n_responses
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
        case when is_shown then cast(round(100 * least(score + margin, 1), 2) as decimal(6, 2)) end as ci_high
    from measured

)

select * from final
