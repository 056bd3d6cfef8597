{# The rung, from the columns of a relation that knows all that the ladder looks at: the highest rung that holds. #}
{% macro lifecycle_rung() -%}
    cast(case
        when purchase_days = 0 and (has_opted_in or has_engaged) then 2
        when purchase_days = 0 then 1
        when purchase_days = 1 then 3
        when not is_regular or sieve_verdict <> 'passes' then 4
        when not is_satisfied or has_open_complaint then 5
        when customers_brought = 0 then 6
        else 7
    end as tinyint)
{%- endmacro %}

{# How many days after a purchase a regular customer is still one. #}
{% macro allowed_gap_days(median_gap_days) -%}
    {{ rule('lifecycle.majority_gap_factor') }} * {{ median_gap_days }}
{%- endmacro %}

{# Both sides of the sieve's test, multiplied by a million so that they are whole numbers: of a customer who passes,
   `sieve_off` is not the smaller. #}
{% macro sieve_off(orders_off, days_on) -%}
    1000000 * cast({{ orders_off }} as bigint) * {{ days_on }}
{%- endmacro %}

{% macro sieve_on(orders_on, days_off) -%}
    {{ (rule('lifecycle.sieve_ratio') * 1000000) | round | int }} * cast({{ orders_on }} as bigint) * {{ days_off }}
{%- endmacro %}

{# What the discount sieve says, from the columns of a relation and days on and off. #}
{% macro sieve_verdict(days_on='days_on', days_off='days_off') -%}
    case
        when {{ days_on }} = 0 or {{ days_off }} = 0 then 'insufficient_evidence'
        when
            full_price_orders >= {{ rule('lifecycle.sieve_min_full_price_orders') }}
            and {{ sieve_off('orders_off', days_on) }} >= {{ sieve_on('orders_on', days_off) }}
            then 'passes'
        else 'fails'
    end
{%- endmacro %}

{# A score decides; without one, somebody who talks to us of their own accord counts as content. #}
{% macro is_satisfied(csat_score, nps_score, has_spoken) -%}
    case
        when {{ csat_score }} is not null or {{ nps_score }} is not null
            then
                coalesce({{ csat_score }} >= {{ rule('lifecycle.satisfied_csat') }}, false)
                or coalesce({{ nps_score }} >= {{ rule('lifecycle.satisfied_nps') }}, false)
        else {{ has_spoken }}
    end
{%- endmacro %}

{# Did a referral bring a customer: somebody else, who first bought then? #}
{% macro has_brought() -%}
    converted_date >= referral_date and referrer_customer_id <> referred_customer_id
{%- endmacro %}

{# The first of the days that the history of the ladder tells of. #}
{% macro history_start() -%}
    {{ days_before(as_of_date(), rule('lifecycle.history_days') - 1) }}
{%- endmacro %}

{# Does a word of consent count for marketing: a yes only when it was given to it, a no whatever it was called, but for
   the purposes of the seed separate_purposes, which it is joined with. #}
{% macro is_about_marketing(consents, separate) -%}
    ({{ consents }}.purpose = 'marketing' or ({{ consents }}.status <> 'granted' and {{ separate }}.purpose is null))
{%- endmacro %}
