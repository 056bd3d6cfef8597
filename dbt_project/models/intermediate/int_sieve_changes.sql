-- While a customer buys regularly: the days on which the verdict of the discount sieve may change, with the verdict.
-- Within a run of days of one kind only their number grows, one a day, so that the verdict turns at most once, on a day
-- that can be computed.
with

runs as (

    select
        *,
        cast(days_known - days_on as integer) as days_off,
        case when is_on then 1 else 0 end as step_on,
        case when is_on then 0 else 1 end as step_off
    from {{ ref('int_sieve_runs') }}

),

-- A customer passes from so many days with a discount on, and up to so many without.
turning as (

    select
        *,
        case
            when is_on
                then ceil(
                    {{ sieve_on('orders_on', 'days_off') }}
                    / cast(nullif({{ sieve_off('orders_off', '1') }}, 0) as double)
                ) - days_on
            else floor(
                {{ sieve_off('orders_off', 'days_on') }}
                / cast(nullif({{ sieve_on('orders_on', '1') }}, 0) as double)
            ) + 1 - days_off
        end as days_later
    from runs

),

changes as (

    select *, 0 as steps from turning

    union all

    select *, cast(days_later as integer) as steps
    from turning
    where days_later between 1 and {{ days_between('day', 'until') }}

),

final as (

    select
        customer_id,
        {{ days_after('day', 'steps') }} as day,
        {{ sieve_verdict('(days_on + steps * step_on)', '(days_off + steps * step_off)') }} as sieve_verdict
    from changes

    union all

    select customer_id, starts_on as day, sieve_verdict
    from {{ ref('int_sieve_spans') }}
    where not may_turn

)

select * from final
