-- How the models of expected value fit, and whether they passed their checks.
with

fits as (

    select * from {{ source('estimates', 'fits') }}

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        status,
        reason,
        horizon_end_date,
        holdout_start_date,
        customers,
        repeat_customers,
        customers_fitted,
        repeat_customers_fitted,
        r,
        alpha,
        a,
        b,
        purchases_log_likelihood,
        p,
        q,
        v,
        value_log_likelihood,
        correlation,
        holdout_purchases,
        holdout_purchases_expected,
        holdout_error,
        holdout_value,
        holdout_value_expected,
        holdout_value_error
    from fits

)

select * from final
