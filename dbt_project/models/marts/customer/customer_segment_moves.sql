with

days as (

    select * from {{ ref('int_rfm_days') }}

),

history as (

    select * from {{ ref('customer_rfm_history') }}

),

-- Each day of a customer beside the ones before and after it, of this customer and of all.
sequence as (

    select
        history.customer_id,
        history.as_of_date,
        history.segment,
        days.previous_date,
        following.evaluation_date as next_date,
        lag(history.as_of_date) over by_day as own_previous_date,
        lag(history.segment) over by_day as previous_segment,
        lead(history.as_of_date) over by_day as own_next_date
    from history
    inner join days on history.as_of_date = days.evaluation_date
    left join days as following on history.as_of_date = following.previous_date
    window by_day as (partition by history.customer_id order by history.as_of_date)

),

turns as (

    select
        *,
        coalesce(own_previous_date = previous_date, false) as was_there,
        previous_date is not null
        and not coalesce(own_previous_date = previous_date and previous_segment = segment, false) as moves,
        next_date is not null and coalesce(own_next_date <> next_date, true) as leaves
    from sequence

),

moves as (

    select
        customer_id,
        previous_date as from_date,
        as_of_date as to_date,
        case when was_there then previous_segment end as from_segment,
        segment as to_segment,
        own_previous_date is not null as was_there_before
    from turns
    where moves

    union all

    select customer_id, as_of_date, next_date, segment, null, true
    from turns
    where leaves

),

{% if rfm_is_damped() %}

    -- A move that was held back is compared with the last day whose scores still gave the old segment.
    last_in_segment as (

        select moves.customer_id, moves.to_date, max(history.as_of_date) as from_date
        from moves
        inner join history
            on
                moves.customer_id = history.customer_id
                and moves.from_segment = history.segment_by_scores
                and moves.to_date > history.as_of_date
        where moves.to_segment is not null
        group by moves.customer_id, moves.to_date

    ),

{% endif %}

dated as (

    select
        moves.customer_id,
        {{ 'coalesce(last_in_segment.from_date, moves.from_date)' if rfm_is_damped() else 'moves.from_date' }}
            as from_date,
        moves.to_date,
        moves.from_segment,
        moves.to_segment,
        moves.was_there_before
    from moves
    {% if rfm_is_damped() %}
        left join last_in_segment
            on
                moves.customer_id = last_in_segment.customer_id
                and moves.to_date = last_in_segment.to_date
    {% endif %}

),

compared as (

    select
        dated.*,
        {{ rfm_compared('recency_days', 'r_score') }},
        {{ rfm_compared('frequency', 'f_score') }},
        {{ rfm_compared('monetary', 'm_score') }}
    from dated
    left join history as was on dated.customer_id = was.customer_id and dated.from_date = was.as_of_date
    left join history as now on dated.customer_id = now.customer_id and dated.to_date = now.as_of_date
    left join {{ ref('int_rfm_cut_points') }} as cuts_then on dated.from_date = cuts_then.evaluation_date
    left join {{ ref('int_rfm_cut_points') }} as cuts_now on dated.to_date = cuts_now.evaluation_date

),

final as (

    select
        customer_id,
        from_date,
        to_date,
        from_segment,
        to_segment,
        {{ rfm_move_cause() }} as cause,
        {{ rfm_move_reason() }} as reason
    from compared

)

select * from final
