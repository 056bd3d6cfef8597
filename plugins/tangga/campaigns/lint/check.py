"""All rules, asked of all campaigns."""

from __future__ import annotations

from collections.abc import Iterator

from tangga import audiences
from tangga.campaigns.campaign import Campaign, Step, folders, read
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
                said = list(_faults(settings, campaign, step, language))
            except FieldError as error:
                said = [("fields", str(error))]
            except RenderError as error:
                said = [("render", str(error))]
            except Exception as error:  # a template is a program: what cannot be judged is not sent, the others are
                said = [("render", f"cannot be judged ({type(error).__name__}); say it in simpler words")]
            for rule, sentence in said:
                yield Finding(campaign.name, rule, sentence, step.number, language)


def _faults(settings: Settings, campaign: Campaign, step: Step, language: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a message: rule, and sentence. Raises what a template may raise."""
    made = versions(settings, campaign, step, language)
    yield from fields.check(campaign, made)
    yield from words.check(settings.campaigns, made)
    yield from links.check(settings.campaigns, made)
    yield from markup.check(settings.campaigns, made)
