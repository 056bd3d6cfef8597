"""All rules, asked of all campaigns."""

from __future__ import annotations

from collections.abc import Iterator

from tangga import audiences
from tangga.campaigns.campaign import Campaign, folders, read
from tangga.campaigns.lint import fields, links, markup, steps, words
from tangga.campaigns.lint.finding import Finding
from tangga.campaigns.lint.versions import FieldError, versions
from tangga.campaigns.render import RenderError
from tangga.settings import Settings, SettingsError


def check(settings: Settings) -> list[Finding]:
    """What is wrong with the campaigns, in the order of their names and steps; nothing where there are none."""
    if settings.campaigns is None:
        return []
    registry = audiences.load()
    found: list[Finding] = []
    for folder in folders(settings):
        try:
            campaign = read(folder)
        except SettingsError as error:
            found += [Finding(folder.name, "form", fault) for fault in str(error).splitlines()]
            continue
        found += steps.check(settings, campaign, registry)
        found += fields.check_use(settings, campaign)
        found += _messages(settings, campaign)
    return found + list(steps.check_registry(registry, {folder.name for folder in folders(settings)}))


def refused(settings: Settings) -> dict[str, list[str]]:
    """The audiences whose campaign must not go out, each with the sentences that say why."""
    by_campaign: dict[str, list[str]] = {}
    for finding in check(settings):
        by_campaign.setdefault(finding.campaign, []).append(str(finding))
    return {
        entry.name: by_campaign[entry.campaign]
        for entry in audiences.with_campaigns(audiences.load())
        if entry.content == "campaigns" and entry.campaign in by_campaign
    }


def _messages(settings: Settings, campaign: Campaign) -> Iterator[Finding]:
    for step in campaign.steps:
        for language in campaign.languages:
            if not steps.is_written(campaign, step, language):
                continue
            try:
                made = versions(settings, campaign, step, language)
            except RenderError as error:
                said = [("fields" if isinstance(error, FieldError) else "render", str(error))]
            else:
                said = [
                    *fields.check(campaign, made),
                    *words.check(settings.campaigns, made),
                    *links.check(settings.campaigns, made),
                    *markup.check(settings.campaigns, made),
                ]
            for rule, sentence in said:
                yield Finding(campaign.name, rule, sentence, step.number, language)
