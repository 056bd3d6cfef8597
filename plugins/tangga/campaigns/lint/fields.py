"""Merge fields: those that exist, that the campaign allows and that are words; each with a fallback; a greeting."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tangga.campaigns.campaign import Campaign
from tangga.campaigns.fields import FIELDS, GREETING
from tangga.campaigns.lint import steps
from tangga.campaigns.lint.finding import Finding
from tangga.campaigns.lint.versions import MARK, Versions
from tangga.campaigns.render import RenderError, fields_used
from tangga.settings import Settings

TOOL_CODE = re.compile(r"\*\||\{\{|\{%|%%")
"""How merge tags begin in one tool or another."""


def check(campaign: Campaign, made: Versions) -> Iterator[tuple[str, str]]:
    """Of one message."""
    for name in sorted(made.used & set(FIELDS)):
        if name not in campaign.fields:
            yield "fields", f"uses {name}, which `fields` of campaign.yml does not list; list it or do without"
        if not FIELDS[name].readable:
            yield "fields", f"shows {name}, whose values are not meant to be read; take it out of the words"
    if found := TOOL_CODE.search(made.example.subject + made.example.preheader + made.example.html):
        yield "fields", f"holds '{found[0]}', the code of one tool; use the merge fields, which every tool is given"
    for name in sorted(made.bare):
        yield "fallback", f'{name} has no fallback for who has none; write {{{{ {name} | fallback("...") }}}}'
    if MARK + GREETING not in made.hostile.text:
        yield "greeting", f'does not greet by name; begin with {{{{ {GREETING} | fallback("...") }}}}'


def check_use(settings: Settings, campaign: Campaign) -> Iterator[Finding]:
    """Of all messages together: fields that nothing uses, or that one language has and another not."""
    for name in sorted(set(campaign.fields) - set(FIELDS)):
        yield Finding(campaign.name, "fields", f"`fields` lists {name}, which does not exist; use {', '.join(FIELDS)}")
    everywhere: set[str] = set()
    for step in campaign.steps:
        used = {}
        for language in campaign.languages:
            if not steps.is_written(campaign, step, language):
                continue
            try:
                used[language] = fields_used(settings, campaign, step, language)
            except RenderError:
                return  # is told of the message itself
        everywhere |= set().union(*used.values())
        for language, names in used.items():
            for name in sorted(set().union(*used.values()) & set(FIELDS) - names):
                sentence = f"does without {name}, which another language uses; say the same in both"
                yield Finding(campaign.name, "languages", sentence, step.number, language)
    for name in sorted(set(campaign.fields) & set(FIELDS) - everywhere):
        yield Finding(campaign.name, "fields", f"`fields` lists {name}, which no step uses; take it away")
