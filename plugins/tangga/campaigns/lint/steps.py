"""The campaign as a whole: whom it is for, its languages, and when its steps are due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tangga.audiences import Audience, with_campaigns
from tangga.campaigns.campaign import Campaign, Step
from tangga.campaigns.lint.finding import Finding
from tangga.settings import Settings


def check(settings: Settings, campaign: Campaign, registry: list[Audience]) -> Iterator[Finding]:
    """What is wrong with `campaign.yml` and the files beside it."""
    yield from _audience(campaign, registry)
    yield from _languages(campaign)
    yield from _timeline(settings, campaign)


def check_registry(registry: list[Audience], written: set[str]) -> Iterator[Finding]:
    """Audiences whose words are neither here nor said to be in the tool."""
    for entry in with_campaigns(registry):
        if entry.content == "campaigns" and entry.campaign not in written:
            yield Finding(
                entry.campaign,
                "audience",
                f"{entry.model} names this campaign, which has no folder; write it, or say `content: tool` in "
                "_audiences.yml if its words are in the e-mail tool",
            )


def is_written(campaign: Campaign, step: Step, language: str) -> bool:
    """Whether a step has all its words in a language."""
    return all(language in words for words in (step.subject, step.preheader, campaign.reason)) and (
        campaign.file(step, language).is_file()
    )


def _audience(campaign: Campaign, registry: list[Audience]) -> Iterator[Finding]:
    entries = [entry for entry in with_campaigns(registry) if entry.name == campaign.audience]
    if not entries:
        sentence = f"there is no audience {campaign.audience}; name one of _audiences.yml"
    elif entries[0].campaign != campaign.name:
        sentence = f"the audience {campaign.audience} does not name this campaign; say so in _audiences.yml, or here"
    elif entries[0].content == "tool":
        sentence = (
            f"the audience {campaign.audience} has its words in the tool; take `content: tool` or the folder away"
        )
    else:
        return
    yield Finding(campaign.name, "audience", sentence)


def _languages(campaign: Campaign) -> Iterator[Finding]:
    wanted = set(campaign.languages)
    yield from _differing(campaign, "reason", wanted, campaign.reason)
    for step in campaign.steps:
        yield from _differing(campaign, "subject", wanted, step.subject, step.number)
        yield from _differing(campaign, "preheader", wanted, step.preheader, step.number)
        for language in campaign.languages:
            file = campaign.file(step, language)
            if not file.is_file():
                yield Finding(campaign.name, "languages", f"there is no {file.name}; write it", step.number, language)
    named = {campaign.file(step, language).name for step in campaign.steps for language in campaign.languages}
    for name in sorted({path.name for path in campaign.folder.glob("*.mjml")} - named):
        yield Finding(campaign.name, "languages", f"{name} belongs to no step; name it in campaign.yml or remove it")


def _differing(
    campaign: Campaign, what: str, wanted: set[str], given: Iterable[str], step: int = 0
) -> Iterator[Finding]:
    for language in sorted(wanted - set(given)):
        yield Finding(campaign.name, "languages", f"has no {what} in this language; write it", step, language)
    for language in sorted(set(given) - wanted):
        sentence = f"has a {what} in a language that `languages` does not name; add it there or remove it"
        yield Finding(campaign.name, "languages", sentence, step, language)


def _timeline(settings: Settings, campaign: Campaign) -> Iterator[Finding]:
    for before, step in pairwise(campaign.steps):
        if step.day <= before.day:
            sentence = f"day {step.day} does not come after day {before.day} of the step before; put the days in order"
            yield Finding(campaign.name, "timeline", sentence, step.number)
    for number, step in enumerate(campaign.steps):
        if step.template in {before.template for before in campaign.steps[:number]}:
            sentence = f"sends {step.template} again, and nobody gets the same words twice; write a template of its own"
            yield Finding(campaign.name, "timeline", sentence, step.number)
    lasts = campaign.lasts
    if isinstance(lasts, str):
        group, name = lasts.split(".")
        lasts = getattr(getattr(settings.rules, group, None), name, None)
        if not isinstance(lasts, int):
            sentence = f"`lasts` names the rule {campaign.lasts}, which is no number of days; see docs/rules.md"
            yield Finding(campaign.name, "timeline", sentence)
            return
    for step in campaign.steps:
        if step.day >= lasts:
            sentence = (
                f"is due on day {step.day}, but a member gets steps for {lasts} days only, the day of entry being 0; "
                "choose an earlier day or change `lasts`"
            )
            yield Finding(campaign.name, "timeline", sentence, step.number)
