"""Merge fields as each e-mail tool writes them, and as words for a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from markupsafe import Markup, escape

from tangga.campaigns.fields import FIELDS


class Tool(Protocol):
    """What fills the merge fields of a message."""

    unsubscribe: str
    """The address of the page where a reader stops the mail."""
    brand: Mapping[str, str]
    """What the tool wants to say itself of who writes: `company` and `address`, if anything."""

    def field(self, name: str, fallback: str) -> str:
        """What stands for a field; `fallback` is shown to customers for whom it is empty."""

    def field_in_html(self, name: str, fallback: str) -> Markup:
        """The same within HTML."""


@dataclass(frozen=True)
class Values:
    """Fields filled with values, as one customer would see them."""

    values: Mapping[str, str]
    unsubscribe: str = "https://unsubscribe.invalid/example"
    brand: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str, fallback: str) -> str:
        return self.values[name] or fallback

    def field_in_html(self, name: str, fallback: str) -> Markup:
        return escape(self.field(name, fallback))


class _Tags:
    """Tags of a tool: they are code, and the same within HTML."""

    def field_in_html(self, name: str, fallback: str) -> Markup:
        return Markup(self.field(name, fallback))


class Mailchimp(_Tags):
    """https://mailchimp.com/help/use-conditional-merge-tag-blocks/"""

    unsubscribe = "*|UNSUB|*"
    brand = {}

    def field(self, name: str, fallback: str) -> str:
        tag = FIELDS[name].mailchimp
        return f"*|IF:{tag}|**|{tag}|**|ELSE:|*{fallback}*|END:IF|*" if fallback else f"*|{tag}|*"


class HubSpot(_Tags):
    """https://developers.hubspot.com/docs/cms/reference/hubl/functions, and `variables` beside it, according to which
    a template without those of the company is not accepted."""

    unsubscribe = "{{ unsubscribe_link }}"
    brand = {
        "company": "{{ site_settings.company_name }}",
        "address": "{{ site_settings.company_street_address_1 }}, {{ site_settings.company_city }}, "
        "{{ site_settings.company_state }}",
    }

    def field(self, name: str, fallback: str) -> str:
        return f"{{{{ personalization_token('contact.{FIELDS[name].hubspot}', '{fallback}') }}}}"


EXAMPLE = Values({field.name: field.example for field in FIELDS.values()})

TOOLS: dict[str, Tool] = {"example": EXAMPLE, "mailchimp": Mailchimp(), "hubspot": HubSpot()}
