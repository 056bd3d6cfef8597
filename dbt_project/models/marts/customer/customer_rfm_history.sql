with

scored as (

    select * from {{ ref('int_rfm_scores') }}

),

{% if rfm_is_damped() %}

    -- Runs of days on which the scores gave a customer the same segment.
    steps as (

        select
            customer_id,
            evaluation_date,
            segment,
            lag(evaluation_date) over (partition by customer_id order by evaluation_date) as previous_date,
            lag(segment) over (partition by customer_id order by evaluation_date) as previous_segment
        from scored
        where evaluation_date >= {{ rfm_damping_start() }}

    ),

    runs as (

        select
            customer_id,
            evaluation_date,
            segment,
            previous_date is null or previous_date < {{ days_before('evaluation_date', 1) }} as is_arrival,
            sum(
                case
                    when previous_date = {{ days_before('evaluation_date', 1) }} and previous_segment = segment then 0
                    else 1
                end
            ) over (partition by customer_id order by evaluation_date) as run
        from steps

    ),

    -- Who arrives has no segment to keep: their first one counts at once.
    held as (

        select
            customer_id,
            evaluation_date,
            case
                when
                    is_arrival
                    or row_number() over (partition by customer_id, run order by evaluation_date)
                    >= {{ rule('rfm.damping_days') }}
                    then segment
            end as segment
        from runs

    ),

    kept as (

        select
            customer_id,
            evaluation_date,
            segment,
            count(segment) over (partition by customer_id order by evaluation_date) as keeping
        from held

    ),

    counting as (

        select
            customer_id,
            evaluation_date,
            max(segment) over (partition by customer_id, keeping) as segment
        from kept

    ),

{% endif %}

final as (

    select
        scored.customer_id,
        scored.evaluation_date as as_of_date,
        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.r_score,
        scored.f_score,
        scored.m_score,
        {{ 'coalesce(counting.segment, scored.segment)' if rfm_is_damped() else 'scored.segment' }} as segment,
        scored.segment as segment_by_scores
    from scored
    {% if rfm_is_damped() %}
        left join counting
            on
                scored.customer_id = counting.customer_id
                and scored.evaluation_date = counting.evaluation_date
    {% endif %}

)

-- A customer's rows beside each other take two thirds of the room.
select * from final
order by customer_id, as_of_date
