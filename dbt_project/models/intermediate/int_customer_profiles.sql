-- What contact lists say of a customer: the latest value that there is of each field.
{{ config(materialized='view') }}

with

-- Within a customer every record has a place in time, so that "the latest value" is one value.
records as (

    select
        identities.customer_id,
        contacts.*,
        row_number() over (
            partition by identities.customer_id
            order by contacts.updated_at, contacts.source, contacts.contact_id
        ) as place
    from {{ ref('int_customer_identities') }} as identities
    inner join {{ ref('stg_contacts') }} as contacts
        on
            identities.source = contacts.source
            and identities.contact_id = contacts.contact_id

),

final as (

    select
        customer_id,
        min(signup_at) as signup_at,
        min_by(acquisition_channel, place) filter (where acquisition_channel is not null) as acquisition_channel,
        {% for column in [
            'email', 'phone', 'first_name', 'last_name', 'gender', 'birth_date', 'occupation', 'city', 'country',
            'language', 'interests',
        ] %}
            max_by({{ column }}, place) filter (where {{ column }} is not null) as {{ column }},
        {% endfor %}
        bool_or(is_email_valid = false) as has_invalid_email
    from records
    group by customer_id

)

select * from final
