"""What an audience is called, what it is for, and its rule: in words and as SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tangga import audiences, campaigns, dbt
from tangga.audiences import Audience, CampaignAudience
from tangga.settings import Settings, SettingsError


@dataclass(frozen=True)
class Rule:
    """`is_compiled` says whether the rules of `tangga.yml` are filled in, as in the newest run."""

    words: str
    sql: str
    is_compiled: bool


def entry_of(audience: str, entries: list[Audience]) -> Audience | None:
    """The entry of the registry that an audience comes from: its own, or that of its family."""
    for entry in entries:
        if not entry.family and entry.name == audience:
            return entry
    return next((entry for entry in entries if entry.family and _beginning(audience, entry)), None)


def label(audience: str, entry: Audience | None) -> str:
    """What people call it."""
    if entry is None:
        return audience.replace("_", " ")
    if entry.family:
        return f"{entry.label}: {audience.removeprefix(_beginning(audience, entry)).replace('_', ' ')}"
    return entry.label


def rule(settings: Settings, entry: Audience) -> Rule:
    """The model as the newest run compiled it, or as it is written where there was none."""
    compiled = dbt.target(settings) / "compiled" / "tangga" / "models" / "audiences" / f"{entry.model}.sql"
    is_compiled = compiled.is_file()
    text = (
        (compiled if is_compiled else audiences.REGISTRY.with_name(compiled.name)).read_text(encoding="utf-8").strip()
    )
    comment = re.match(r"(?:--[^\n]*\n)*", text).group()
    words = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
    return Rule(words or entry.purpose, text[len(comment) :].replace('"working".', "").replace('"', ""), is_compiled)


def campaign_of(settings: Settings, entry: Audience) -> campaigns.Campaign | None:
    """The campaign with the words of an audience; None where they live in the e-mail tool, or cannot be read."""
    if not isinstance(entry, CampaignAudience) or entry.content != "campaigns":
        return None
    return named_campaign(settings, entry.campaign)


def named_campaign(settings: Settings, name: str) -> campaigns.Campaign | None:
    """A campaign by its name; None where there is none that can be read, or the company writes its words elsewhere."""
    if settings.campaigns is None:
        return None
    try:
        return next((found for found in campaigns.load(settings) if found.name == name), None)
    except SettingsError:
        return None


def all_entries() -> list[Audience]:
    """The registry, as it is now."""
    return audiences.load()


def _beginning(audience: str, entry: Audience) -> str:
    """With which of the family's beginnings the name of an audience begins, if any."""
    return next((beginning for beginning in _beginnings(entry.model) if audience.startswith(beginning)), "")


@cache
def _beginnings(model: str) -> list[str]:
    """What the names of a family begin with: the texts in its model to which more is added."""
    sql = audiences.REGISTRY.with_name(f"{model}.sql").read_text(encoding="utf-8")
    return re.findall(r"'([a-z0-9]+_)'\s*\|\|", sql)
