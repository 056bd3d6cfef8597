with

final as (

    select
        {{ as_of_date() }} as as_of_date,
        kind,
        n_records,
        cast(count(distinct value) as integer) as n_values
    from {{ ref('int_contact_values') }}
    where not is_linking
    group by kind, n_records

)

select * from final
