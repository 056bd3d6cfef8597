-- New people who have not bought: signed up or agreed to be written to within the last days.
with

granted as (

    select customer_id, max({{ local_date('status_at') }}) as granted_date
    from {{ ref('fct_consents') }}
    where status = 'granted' and purpose = 'marketing'
    group by customer_id

),

arrived as (

    select
        customers.customer_id,
        greatest(
            coalesce(customers.signup_date, granted.granted_date), coalesce(granted.granted_date, customers.signup_date)
        )
            as arrived_date
    from {{ ref('dim_customers') }} as customers
    inner join {{ ref('customer_lifecycle') }} as lifecycle on customers.customer_id = lifecycle.customer_id
    left join granted on customers.customer_id = granted.customer_id
    where lifecycle.purchase_days = 0

)

select
    'welcome' as audience,
    customer_id,
    'joined on ' || cast(arrived_date as varchar) || ' and has not ordered yet' as why,
    cast(arrived_date as varchar) as entry_key
from arrived
where arrived_date > {{ days_before(as_of_date(), rule('audiences.welcome_days')) }}
