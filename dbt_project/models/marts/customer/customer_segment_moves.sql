with

days as (

    select * from {{ ref('int_rfm_days') }}

),

history as (

    select * from {{ ref('customer_rfm_history') }}

),

first_seen as (

    select customer_id, min(as_of_date) as first_date
    from history
    group by customer_id

),

placed as (

    select history.customer_id, history.segment, days.previous_date as from_date, days.evaluation_date as to_date
    from history
    inner join days on history.as_of_date = days.evaluation_date
    where days.previous_date is not null

),

placed_before as (

    select history.customer_id, history.segment, days.previous_date as from_date, days.evaluation_date as to_date
    from history
    inner join days on history.as_of_date = days.previous_date

),

moves as (

    select
        coalesce(placed.customer_id, placed_before.customer_id) as customer_id,
        coalesce(placed.from_date, placed_before.from_date) as from_date,
        coalesce(placed.to_date, placed_before.to_date) as to_date,
        placed_before.segment as from_segment,
        placed.segment as to_segment
    from placed
    full outer join placed_before
        on
            placed.customer_id = placed_before.customer_id
            and placed.to_date = placed_before.to_date
    where coalesce(placed.segment, '') <> coalesce(placed_before.segment, '')

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
        first_seen.first_date < moves.to_date as was_there_before
    from moves
    inner join first_seen on moves.customer_id = first_seen.customer_id
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
