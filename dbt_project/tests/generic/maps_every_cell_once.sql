{# Every scheme maps each of the 125 cells (r, f, m) exactly once. Rows are cells that are missing, repeated or none. #}
{% test maps_every_cell_once(model) %}
with

scores as (

    select 1 as score union all select 2 union all select 3 union all select 4 union all select 5

),

cells as (

    select schemes.scheme, r.score as r, f.score as f, m.score as m
    from (select distinct scheme from {{ model }}) as schemes
    cross join scores as r
    cross join scores as f
    cross join scores as m

),

mapped as (

    select scheme, r, f, m, count(*) as names
    from {{ model }}
    group by scheme, r, f, m

)

select
    coalesce(cells.scheme, mapped.scheme) as scheme,
    coalesce(cells.r, mapped.r) as r,
    coalesce(cells.f, mapped.f) as f,
    coalesce(cells.m, mapped.m) as m,
    mapped.names
from cells
full outer join mapped
    on cells.scheme = mapped.scheme
    and cells.r = mapped.r
    and cells.f = mapped.f
    and cells.m = mapped.m
where cells.scheme is null or coalesce(mapped.names, 0) <> 1
{% endtest %}
