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
