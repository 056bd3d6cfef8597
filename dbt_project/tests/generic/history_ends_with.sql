{# The history's rows of the last day are those of the table of that day. Rows are those that differ. #}
{% test history_ends_with(model, day_model) %}
    {%- set columns = 'customer_id, as_of_date, recency_days, frequency, monetary, r_score, f_score, m_score, segment' %}
    (
        select {{ columns }} from {{ model }}
        where as_of_date = {{ as_of_date() }}
        except
        select {{ columns }} from {{ day_model }}
    )
    union all
    (
        select {{ columns }} from {{ day_model }}
        except
        select {{ columns }} from {{ model }}
    )
{% endtest %}
