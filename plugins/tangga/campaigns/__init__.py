"""Campaigns as code: what is written to whom, on which day, in which words.

campaigns/<name>/campaign.yml              label, audience, languages, steps
                 <template>.<language>.mjml    the words of a step, one file a language
          _shared/                         what all of them have: layout, footer

This is the one place where the steps of a drip are kept:

    for campaign in campaigns.load(settings):
        campaign.name, campaign.label, campaign.audience   # the name is that of the folder
        for step in campaign.steps:
            step.number     # 1, 2, 3, ... in the order of the days
            step.day        # whole days since the member entered the audience; 0 is the day of entry
            step.channel    # "email"
            step.template   # the file of a language is campaign.folder / f"{step.template}.{language}.mjml"
            step.exit       # "ordered": not sent to who has ordered since entering; "never": sent all the same

`campaign.model_dump(mode="json")` is plain data, for dbt.
"""

from tangga.campaigns.campaign import EXITS, Campaign, Step, folder_of, load

__all__ = ["EXITS", "Campaign", "Step", "folder_of", "load"]
