-- The referral programme: those who already bring others, and promoters who have not been asked yet.
with

-- The latest answer decides: who praised us once and is displeased now is no promoter. Nor is somebody asked for a
-- favour while they wait for an answer to their complaint.
promoters as (

    select customer_id, nps_answer_date as answer_date from {{ ref('customer_satisfaction') }}
    where nps_group = 'promoter' and not has_open_complaint

),

-- Most tools do not tell what a message was sent for: what was handed out counts as well.
asked as (

    select customer_id
    from {{ ref('fct_messages') }}
    where audience = 'advocates' and event = 'sent'

    union distinct

    select customer_id
    from {{ ref('fct_sends') }}
    where audience = 'advocates' and test_group = 'member'

)

select
    'advocates' as audience,
    lifecycle.customer_id,
    case
        when lifecycle.rung = 7 then 'brought ' || cast(lifecycle.customers_brought as varchar) || ' within the year'
        else 'promoter on ' || cast(promoters.answer_date as varchar) || ', never asked'
    end as why,
    case when lifecycle.rung = 7 then lifecycle.rung_name else cast(promoters.answer_date as varchar) end as entry_key
from {{ ref('customer_lifecycle') }} as lifecycle
left join promoters on lifecycle.customer_id = promoters.customer_id
left join asked on lifecycle.customer_id = asked.customer_id
where lifecycle.rung = 7 or (promoters.customer_id is not null and asked.customer_id is null)
