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
                when
                    ranked.sieve_verdict = 'fails'
                    and ranked.full_price_orders < {{ rule('lifecycle.sieve_min_full_price_orders') }}
                    then 'has bought at full price fewer than '
                        || '{{ rule("lifecycle.sieve_min_full_price_orders") }} times'
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

{# How long a buyer has been away against what: the own usual gap, else the population's, as floor and cap leave it. #}
{% macro gap_reason() -%}
    {%- set own = days_in_words('cast(round(lifecycle.median_gap_days) as integer)') -%}
    {%- set usual = days_in_words('cast(round(journey.usual_gap_days) as integer)') -%}
    'last bought ' || {{ days_in_words('journey.current_gap_days') }} || ' ago'
    || coalesce(' against a usual gap of ' || {{ own }}, '')
    || case
        when journey.usual_gap_days = lifecycle.median_gap_days then ''
        when
            lifecycle.median_gap_days is not null
            or journey.usual_gap_days in (
                {{ rule('journey.usual_gap_floor_days') }}, {{ rule('journey.usual_gap_cap_days') }}
            )
            then ', reckoned with ' || {{ usual }}
        else ' against ' || {{ usual }} || ' between most people''s first two purchases'
    end
{%- endmacro %}

{% macro journey_reason() -%}
    case when journey.current_gap_days is not null then {{ gap_reason() }} else lifecycle.reason end
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
        else
            coalesce(
                nullif(concat_ws(', '
                    {%- for kind in ['nps', 'csat', 'ces'] -%}
                        , '{{ kind | upper }} ' || cast(satisfaction.{{ kind }}_score as varchar)
                        || ' on ' || cast(satisfaction.{{ kind }}_answer_date as varchar)
                    {%- endfor -%}
                ), ''),
                'no score' || case when satisfaction.is_satisfied then ', but gave feedback' else '' end
            )
            || case when satisfaction.has_open_complaint then '; a complaint is open' else '' end
    end
{%- endmacro %}
