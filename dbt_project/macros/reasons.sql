{# Why a customer stands on a rung, and what keeps them from the next: one sentence from the columns of `ranked`. #}
{% macro lifecycle_reason() -%}
    case ranked.rung
        when 1 then 'known, but neither agreed to be written to nor showed interest in the last '
            || '{{ rule("lifecycle.engaged_days") }} days'
        when 2 then 'no order yet; '
            || case when ranked.has_opted_in then 'agreed to be written to' else 'showed interest lately' end
        when 3 then 'bought on one day, ' || {{ days_in_words('ranked.current_gap_days') }} || ' ago'
        when 4 then 'bought on ' || cast(ranked.purchase_days as varchar) || ' days; '
            || case
                when ranked.purchase_days < {{ rule('lifecycle.majority_purchase_days') }}
                    then 'regular from {{ rule("lifecycle.majority_purchase_days") }} days on'
                when not ranked.is_regular
                    then 'last ' || {{ days_in_words('ranked.current_gap_days') }} || ' ago against a usual gap of '
                        || cast(cast(round(ranked.median_gap_days) as integer) as varchar)
                when ranked.sieve_verdict = 'fails' then 'does not keep buying when the discount is withdrawn'
                else 'whether they buy without a discount cannot be told yet'
            end
        else 'bought on ' || cast(ranked.purchase_days as varchar) || ' days, keeps the rhythm and buys without discounts'
            || case
                when ranked.rung = 5 and ranked.has_open_complaint then '; a complaint is open'
                when ranked.rung = 5 then '; has not said yet that they are satisfied'
                when ranked.rung = 6 then '; satisfied'
                else '; satisfied and brought ' || cast(ranked.customers_brought as varchar)
            end
    end
{%- endmacro %}

{# The other judgements in plain words, from the columns of the marts that `customer_360` joins. #}
{% macro sieve_reason() -%}
    case
        when sieve.customer_id is null then 'has not bought'
        else
            'purchases: ' || cast(sieve.orders_on as varchar) || ' in ' || {{ days_in_words('sieve.days_on') }}
            || ' with discounts, ' || cast(sieve.orders_off as varchar) || ' in '
            || {{ days_in_words('sieve.days_off') }} || ' without; '
            || cast(sieve.full_price_orders as varchar) || ' at full price'
    end
{%- endmacro %}

{% macro journey_reason() -%}
    case
        when journey.current_gap_days is not null
            then
                'last bought ' || {{ days_in_words('journey.current_gap_days') }} || ' ago against a usual gap of '
                || {{ days_in_words('cast(round(journey.usual_gap_days) as integer)') }}
        else lifecycle.reason
    end
{%- endmacro %}

{% macro segment_reason() -%}
    case
        when rfm.customer_id is null then 'has not bought within the window'
        else
            'last bought ' || {{ days_in_words('rfm.recency_days') }} || ' ago (R ' || cast(rfm.r_score as varchar)
            || '), purchases ' || cast(rfm.frequency as varchar) || ' (F ' || cast(rfm.f_score as varchar)
            || '), spent ' || cast(rfm.monetary as varchar) || ' (M ' || cast(rfm.m_score as varchar) || ')'
    end
{%- endmacro %}

{% macro satisfaction_reason() -%}
    case
        when satisfaction.customer_id is null then 'has said nothing'
        when satisfaction.has_open_complaint then 'a complaint is open'
        when satisfaction.nps_score is null and satisfaction.csat_score is null
            then 'no score' || case when satisfaction.is_satisfied then ', but gave feedback' else '' end
        else
            coalesce(
                'NPS ' || cast(satisfaction.nps_score as varchar)
                || ' on ' || cast(satisfaction.nps_answer_date as varchar), ''
            )
            || case
                when satisfaction.nps_score is not null and satisfaction.csat_score is not null then ', ' else ''
            end
            || coalesce(
                'CSAT ' || cast(satisfaction.csat_score as varchar)
                || ' on ' || cast(satisfaction.csat_answer_date as varchar), ''
            )
    end
{%- endmacro %}
