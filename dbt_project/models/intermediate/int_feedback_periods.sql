-- What counts in which period: of each customer and survey the latest answer, an answer without a person by itself, and
-- every survey in the period in which it was sent.
with

feedback as (

    select
        given_in,
        source,
        response_id,
        customer_id,
        coalesce(customer_id, source || ':' || response_id) as respondent,
        kind,
        survey,
        touchpoint,
        answered_at,
        score,
        'answer' as role,
        answer_date as happened_date
    from {{ ref('int_feedback_answers') }}
    where score is not null

    union all

    select
        given_in,
        source,
        response_id,
        customer_id,
        coalesce(customer_id, source || ':' || response_id) as respondent,
        kind,
        survey,
        touchpoint,
        answered_at,
        score,
        'invitation' as role,
        {{ local_date('sent_at') }} as happened_date
    from {{ ref('int_feedback_answers') }}
    where sent_at is not null

),

windows as (

    {% for kind in ['nps', 'csat', 'ces'] %}
        select '{{ kind }}' as kind, {{ days_before(as_of_date(), rule(kind ~ '.window_days') - 1) }} as window_start
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

periods as (

    select 'all' as period_grain, cast(null as date) as period_start, feedback.*
    from feedback

    union all

    select 'window', windows.window_start, feedback.*
    from feedback
    inner join windows on feedback.kind = windows.kind and feedback.happened_date >= windows.window_start

    union all

    select 'month', cast(date_trunc('month', feedback.happened_date) as date), feedback.*
    from feedback

),

final as (

    select
        period_grain,
        period_start,
        role,
        kind,
        given_in,
        source,
        response_id,
        customer_id,
        touchpoint,
        score
    from periods
    qualify
        role = 'invitation'
        or row_number() over (
            partition by period_grain, period_start, role, kind, respondent, survey
            order by answered_at desc, response_id desc, source desc
        ) = 1

)

select * from final
