-- The addresses that consents, messages, answers and tickets carry for a record.
with

final as (

    {% for model in ['stg_consents', 'stg_messages', 'stg_survey_responses', 'stg_tickets'] %}
        select source, contact_id, email
        from {{ ref(model) }}
        where contact_id is not null and email is not null
        {{ 'union distinct' if not loop.last }}
    {% endfor %}

)

select * from final
