{# The open stay of each customer is on the rung where they stand today. Rows are customers of whom that is not so. #}
{% test agrees_on_the_open_stay(model, of) %}
select today.customer_id, today.rung, stays.rung as rung_of_the_stay
from {{ of }} as today
left join {{ model }} as stays
    on today.customer_id = stays.customer_id
    and stays.is_current
where stays.rung is distinct from today.rung or stays.valid_from is distinct from today.rung_since
{% endtest %}
