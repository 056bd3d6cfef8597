"""The `campaigns:` block: what the company's mail has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tangga.settings.types import Name, Strict, Text, shaped

Domain = Annotated[
    str, shaped(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", "write a domain such as shop.example.com")
]
Colour = Annotated[str, shaped("#[0-9a-fA-F]{6}", "write a colour like #0f766e")]


class Colours(Strict):
    """`brand` is that of the header and the button, `on_brand` that of the words on it."""

    brand: Colour = "#0f766e"
    on_brand: Colour = "#ffffff"
    text: Colour = "#1f2937"
    muted: Colour = "#57606a"
    background: Colour = "#f3f4f2"
    card: Colour = "#ffffff"


class Limits(Strict):
    """What the linter goes by. Mail programs cut subjects and preheaders off, and Gmail messages of more than 102 kB;
    widths, heights and sizes are CSS pixels."""

    subject_characters: int = Field(60, gt=0)
    preheader_from_characters: int = Field(30, ge=0)
    preheader_to_characters: int = Field(110, gt=0)
    button_characters: int = Field(30, gt=0)
    html_bytes: int = Field(102_000, gt=0)
    screen_width: int = Field(375, gt=0)
    text_size: int = Field(14, gt=0)
    button_height: int = Field(44, gt=0)


class CampaignSettings(Strict):
    """Who writes, how it looks and where links may lead. A domain allows the hosts below it, too."""

    folder: str | None = None
    company: Text
    address: Text
    colours: Colours = Colours()
    links: dict[Name, Text] = {}
    allowed_domains: tuple[Domain, ...] = Field(min_length=1)
    limits: Limits = Limits()
