-- Every day, whether everybody could have a discount, and on how many days up to it they could.
with

days as (

    select calendar.day, discounts.day is not null as is_on
    from {{ ref('int_calendar') }} as calendar
    left join {{ ref('int_discount_days') }} as discounts
        on
            calendar.day = discounts.day
            and discounts.customer_id is null

),

final as (

    select
        day,
        is_on,
        cast(sum(case when is_on then 1 else 0 end) over (order by day) as integer) as days_on,
        is_on <> lag(is_on) over (order by day) as is_switch
    from days

)

select * from final
