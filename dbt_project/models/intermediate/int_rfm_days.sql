-- The days on which RFM is evaluated: month ends, the day before the as-of date and itself, and what damping looks at.
with recursive

daily (day) as (

    select {{ rfm_damping_start() if rfm_is_damped() else days_before(as_of_date(), 1) }} as day

    union all

    select cast(day + interval '1' day as date) from daily
    where day < {{ as_of_date() }}

),

days as (

    select day from daily

    {% for number in range(rule('rfm.history_months')) %}
        union

        select
            cast(
                cast(date_trunc('month', {{ as_of_date() }}) as date) - interval '{{ number }}' month
                - interval '1' day as date
            )
    {% endfor %}

),

final as (

    select
        day as evaluation_date,
        lag(day) over (order by day) as previous_date,
        extract(month from day + interval '1' day) <> extract(month from day) as is_month_end
    from days

)

select * from final
