"""A message as several customers, and each tool, would get it: what the rules look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import lxml.html

from tangga.campaigns.campaign import Campaign, Step
from tangga.campaigns.fields import FIELDS
from tangga.campaigns.render import Message, RenderError, fields_used, message
from tangga.campaigns.tools import EXAMPLE, TOOLS, Values
from tangga.settings import Settings

MARK = "Zqx"
"""Stands in every hostile value, the field's name behind it, and, but for a wonder, in no text."""

HOSTILE = Values({name: f"""<b onclick="x()">{MARK}{name} & 'O"Neil</b>""" for name in FIELDS})
LONG = Values(dict.fromkeys(FIELDS, "Wiraatmadjakusumawardhani" * 3))


class FieldError(RenderError):
    """A message asks for a merge field that does not exist."""


@dataclass(frozen=True)
class _Recording(Values):
    """Notes which fields stand where without a fallback."""

    bare: set[str] = dataclasses.field(default_factory=set)

    def field(self, name: str, fallback: str) -> str:
        if not fallback:
            self.bare.add(name)
        return super().field(name, fallback)


@dataclass(frozen=True)
class Versions:
    """`used` are the fields that are asked for, `bare` those that somewhere have no fallback. `example` is what most
    see, `hostile` what a customer sees whose data are code; `by_tool` is what each tool is given."""

    language: str
    used: frozenset[str]
    bare: frozenset[str]
    example: Message
    hostile: Message
    by_tool: Mapping[str, Message]

    @cached_property
    def page(self) -> lxml.html.HtmlElement:
        return lxml.html.fromstring(self.example.html)


def versions(settings: Settings, campaign: Campaign, step: Step, language: str) -> Versions:
    """Raises `RenderError`, and `FieldError` for fields that do not exist."""
    given = (settings, campaign, step, language)
    used = fields_used(*given)
    if unknown := sorted(used - set(FIELDS)):
        raise FieldError(f"asks for {unknown[0]}, which does not exist; use {', '.join(FIELDS)}")
    recording = _Recording(EXAMPLE.values)
    return Versions(
        language=language,
        used=used,
        example=message(*given, recording),
        bare=frozenset(recording.bare),
        hostile=message(*given, HOSTILE),
        by_tool={name: message(*given, tool) for name, tool in TOOLS.items()},
    )
