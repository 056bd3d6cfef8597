-- New people who have not ordered: signed up or agreed to be written to within the last days.
with

granted as (

    select customer_id, max({{ local_date('status_at') }}) as granted_date
    from {{ ref('fct_consents') }}
    where status = 'granted' and purpose = 'marketing'
    group by customer_id

),

-- Of whatever status: who waits to pay, or has cancelled, has ordered.
ordered as (

    select distinct customer_id from {{ ref('fct_orders') }}

),

arrived as (

    select
        customers.customer_id,
        customers.signup_date,
        greatest(
            coalesce(customers.signup_date, granted.granted_date), coalesce(granted.granted_date, customers.signup_date)
        )
            as arrived_date
    from {{ ref('dim_customers') }} as customers
    left join granted on customers.customer_id = granted.customer_id
    left join ordered on customers.customer_id = ordered.customer_id
    where ordered.customer_id is null

)

select
    'welcome' as audience,
    customer_id,
    case when arrived_date = signup_date then 'signed up on ' else 'agreed to be written to on ' end
    || cast(arrived_date as varchar) || ' and has not ordered yet' as why,
    cast(arrived_date as varchar) as entry_key
from arrived
where arrived_date > {{ days_before(as_of_date(), rule('audiences.welcome_days')) }}
