{# Why a customer stands on a rung, and what keeps them from the next: one sentence from the columns of `ranked`. #}
{% macro lifecycle_reason() -%}
    case ranked.rung
        when 1 then 'known, but does not agree to be written to and showed no interest in the last '
            || '{{ rule("lifecycle.engaged_days") }} days'
        when 2 then 'no purchase so far; '
            || case
                when ranked.has_opted_in then 'agrees to be written to'
                else 'showed interest in the last {{ rule("lifecycle.engaged_days") }} days'
            end
        when 3 then 'bought on one day only, ' || {{ days_ago('ranked.current_gap_days') }}
        when 4 then 'bought on ' || cast(ranked.purchase_days as varchar) || ' days; '
            || case
                when ranked.purchase_days < {{ rule('lifecycle.majority_purchase_days') }}
                    then 'a regular customer buys on {{ rule("lifecycle.majority_purchase_days") }} or more'
                when not ranked.is_regular
                    then 'last ' || {{ days_ago('ranked.current_gap_days') }}
                        || ', more than {{ "%g" % rule("lifecycle.majority_gap_factor") }} times the usual gap of '
                        || {{ gap_in_words('ranked.median_gap_days') }}
                when
                    ranked.sieve_verdict = 'fails'
                    and ranked.full_price_orders < {{ rule('lifecycle.sieve_min_full_price_orders') }}
                    then 'has bought at full price fewer than '
                        || '{{ rule("lifecycle.sieve_min_full_price_orders") }} times'
                when ranked.sieve_verdict = 'fails' then 'buys clearly less often outside discount campaigns'
                else 'whether they buy without a discount cannot be told yet'
            end
        else 'bought on ' || cast(ranked.purchase_days as varchar)
            || ' days, keeps the rhythm and buys outside discount campaigns, too'
            || case
                when ranked.rung = 5 and ranked.has_open_complaint then '; a complaint is open'
                when ranked.rung = 5 then '; not known to be satisfied'
                when ranked.rung = 6 then '; satisfied'
                else '; satisfied, and brought ' || {{ counted('ranked.customers_brought', 'customer') }}
                    || ' in the last {{ rule("lifecycle.referral_days") }} days'
            end
    end
{%- endmacro %}

{# The other judgements in plain words, from the columns of the marts that `customer_360` joins. #}
{% macro sieve_reason() -%}
    {%- set fewest = rule('lifecycle.sieve_min_full_price_orders') -%}
    case
        when sieve.customer_id is null then 'has not bought'
        when sieve.days_on = 0
            then 'no discount campaign on record since the first purchase, so there is nothing to compare with'
        when sieve.days_off = 0
            then 'discount campaigns on every day since the first purchase, so there is nothing to compare with'
        else
            {{ counted('sieve.orders_off', 'purchase') }} || ' in ' || {{ days_in_words('sieve.days_off') }}
            || ' outside discount campaigns, ' || cast(sieve.orders_on as varchar) || ' in '
            || {{ days_in_words('sieve.days_on') }} || ' within'
            || case
                when sieve.orders_on > 0
                    then ': ' || {{ percent_in_words(
                        'cast(sieve.orders_off as double) * sieve.days_on',
                        'cast(sieve.orders_on as double) * sieve.days_off'
                    ) }} || ' as often outside'
                else ''
            end
            || '; ' || cast(sieve.full_price_orders as varchar) || ' of '
            || cast(sieve.orders_on + sieve.orders_off as varchar) || ' at full price'
            || case when sieve.full_price_orders < {{ fewest }} then ', fewer than {{ fewest }}' else '' end
    end
{%- endmacro %}

{# How long a buyer has been away against what: the own usual gap, else the population's, as floor and cap leave it. #}
{% macro gap_reason() -%}
    'last bought ' || {{ days_ago('journey.current_gap_days') }}
    || case
        when lifecycle.median_gap_days is null
            then '; after a first purchase the next is expected within ' || {{ gap_in_words('journey.usual_gap_days') }}
        else ' against a usual gap of ' || {{ gap_in_words('lifecycle.median_gap_days') }}
            || case
                when journey.usual_gap_days = lifecycle.median_gap_days then ''
                else ', counted as ' || {{ gap_in_words('journey.usual_gap_days') }}
            end
    end
{%- endmacro %}

{% macro journey_reason() -%}
    case
        when journey.current_gap_days is null then lifecycle.reason
        else
            {{ gap_reason() }}
            || case
                when journey.stage = 'churned'
                    then '; more than {{ "%g" % rule("journey.churned_gap_factor") }} times that has passed'
                when journey.is_at_risk
                    then '; more than {{ "%g" % rule("journey.at_risk_gap_factor") }} times that has passed'
                else ''
            end
    end
{%- endmacro %}

{% macro segment_reason() -%}
    {%- set days = rule('rfm.window_days') -%}
    case
        when rfm.customer_id is null then 'has not bought{{ " in the last " ~ days ~ " days" if days }}'
        else
            'last bought ' || {{ days_ago('rfm.recency_days') }} || ' (R ' || cast(rfm.r_score as varchar) || '), '
            || {{ counted('rfm.frequency', 'purchase') }} || ' (F ' || cast(rfm.f_score as varchar)
            || '), spent ' || {{ money_in_words('rfm.monetary') }} || ' (M ' || cast(rfm.m_score as varchar) || ')'
    end
{%- endmacro %}

{% macro satisfaction_reason() -%}
    {%- set window = 'in the last ' ~ rule('lifecycle.satisfaction_days') ~ ' days' -%}
    case
        when satisfaction.customer_id is null then 'has said nothing {{ window }}'
        else
            coalesce(
                nullif(concat_ws(', '
                    {%- for kind in ['nps', 'csat', 'ces'] -%}
                        , '{{ kind | upper }} ' || cast(satisfaction.{{ kind }}_score as varchar)
                        || ' on ' || cast(satisfaction.{{ kind }}_answer_date as varchar)
                    {%- endfor -%}
                ), ''),
                'no score {{ window }}'
            )
            || case
                when
                    satisfaction.is_satisfied
                    and satisfaction.nps_score is null
                    and satisfaction.csat_score is null
                    then '; gave feedback, and no NPS or CSAT says otherwise'
                else ''
            end
            || case when satisfaction.has_open_complaint then '; a complaint is open' else '' end
    end
{%- endmacro %}

{# What the preferred category rests on, from the evidence of `customer_needs`. #}
{% macro category_reason() -%}
    case preferences.category_evidence
        when 'said and shown' then 'named as an interest, and bought or looked at'
        when 'said only' then 'named as an interest, neither bought nor looked at much'
        when 'shown only' then 'bought or looked at, not named as an interest'
        when 'glanced at' then 'looked at too few times to be sure'
    end
{%- endmacro %}

{# Why `customer_recommendations` offers a product. #}
{% macro offer_reason() -%}
    case ranked.class
        when 1 then 'of ' || cast(neighbours.n_customers as varchar) || ' recent buyers of '
            || coalesce(because.product_name, because.product_id) || ', '
            || cast(neighbours.n_both as varchar) || ' bought this, too'
        when 2 then 'among the most bought in ' || products.category
        else 'among the most bought'
    end
{%- endmacro %}
