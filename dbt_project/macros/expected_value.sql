{# What a customer's expected value rests on, or why there is none: one sentence from the columns of `joined`. #}
{% macro expected_value_reason() -%}
    case
        when model_status = 'off' then 'not computed: rules.value.expected is off'
        when model_status = 'no fit' then 'no fit: ' || reason
        when purchase_days is null then 'has not bought yet'
        when purchase_days = 1
            then 'bought on one day, ' || {{ days_in_words('current_gap_days') }} || ' ago: '
                || {{ expectation_in_words() }}
        else 'bought on ' || cast(purchase_days as varchar) || ' days within ' || {{ days_in_words('recency_days') }}
            || ', last ' || {{ days_in_words('current_gap_days') }} || ' ago: '
            || cast(cast(floor(probability_alive * 100) as integer) as varchar) || ' % likely to be a customer still, '
            || {{ expectation_in_words() }}
    end
{%- endmacro %}

{# The purchases expected, what one brings, and until when. #}
{% macro expectation_in_words() -%}
    cast(cast(expected_purchases as decimal(18, 2)) as varchar) || ' purchases of '
        || cast(expected_average_value as varchar) || ' expected until ' || cast(horizon_end_date as varchar)
{%- endmacro %}
