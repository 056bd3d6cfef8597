-- Every address that a contact record has landed with, also on days that were never built: a no must find its owner.
with

final as (

    select distinct namespace as source, contact_id, email
    from {{ source('landing', 'contacts') }}
    where email is not null and {{ is_known('updated_at') }}

)

select * from final
