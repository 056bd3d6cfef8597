-- A stay ends where the next one begins: whoever asks for a day takes valid_from <= day < valid_to.
with

ranked as (

    select *, {{ lifecycle_rung() }} as rung
    from {{ ref('int_lifecycle_changes') }}

),

moves as (

    select *, lag(rung) over (partition by customer_id order by day) as previous_rung
    from ranked
    qualify previous_rung is null or rung <> previous_rung

),

stays as (

    select
        ranked.customer_id,
        ranked.rung,
        ranked.day as valid_from,
        lead(ranked.day) over (partition by ranked.customer_id order by ranked.day) as valid_to,
        ranked.previous_rung,
        {{ lifecycle_reason() }} as reason
    from moves as ranked

),

final as (

    select
        stays.customer_id,
        stays.rung,
        rungs.rung_name,
        stays.valid_from,
        stays.valid_to,
        stays.valid_to is null as is_current,
        stays.previous_rung is null and starts.began_before as began_before,
        {{ days_between('stays.valid_from', 'coalesce(stays.valid_to, ' ~ as_of_date() ~ ')') }} as days,
        stays.reason,
        stays.previous_rung,
        previous.rung_name as previous_rung_name
    from stays
    inner join {{ ref('int_lifecycle_starts') }} as starts on stays.customer_id = starts.customer_id
    inner join {{ ref('lifecycle_rungs') }} as rungs on stays.rung = rungs.rung
    left join {{ ref('lifecycle_rungs') }} as previous on stays.previous_rung = previous.rung

)

select * from final
