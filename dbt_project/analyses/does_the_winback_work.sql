-- Does the winback bring anybody back who would not have come anyway?
--
-- How to read: one row per number of days after the entry, and measure. `difference` is what the campaign brings per
-- member, against those who were held out by lot. The verdict is yes or no only where the 95 % interval leaves out 0.
-- Mind: nothing is there before campaigns have run as long as rules.uplift.after_days; below
-- rules.uplift.minimum_customers on either side the means stay empty. It counts all who entered, opened or not, and
-- does not take off what discounts of the campaign cost, beyond the net value.
select
    days,
    measure,
    members,
    holdouts,
    member_mean,
    holdout_mean,
    difference,
    ci_low,
    ci_high,
    case
        when difference is null then 'too few to tell'
        when ci_low > 0 then 'yes, it brings more'
        when ci_high < 0 then 'no, it brings less'
        else 'no difference that can be told from chance'
    end as verdict
from metrics.audience_uplift
where audience = 'winback'
order by days, measure
