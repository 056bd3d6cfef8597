"""From the words of a step to the message that is sent: Jinja fills the template in, MJML makes it HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import lxml.html
import mjml
from inscriptis import Inscriptis
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment

from tangga.campaigns.campaign import FOLDER, Campaign, Step, folder_of
from tangga.campaigns.fields import FIELDS, UNSUBSCRIBE
from tangga.campaigns.tools import EXAMPLE, Tool
from tangga.settings import Settings

PLAIN = re.compile(r"[\w .,!?-]*\w[\w .,!?-]*")
"""What a fallback is made of, with a letter: it stands within the code of a tool, where other signs mean something."""

COMMON = frozenset({"brand", "colours", "links", "reason", "subject", "preheader", "code", UNSUBSCRIBE})
"""What templates may name besides merge fields."""

_PARAGRAPHS = ParserConfig(
    css=CSS_PROFILES["strict"] | {"div": HtmlElement("div", display=Display.block, margin_before=1, margin_after=1)}
)
"""MJML makes a <div> of each paragraph: an empty line between them."""


class RenderError(ValueError):
    """A message cannot be made; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Message:
    """What is sent. `mjml` is what the HTML was made of."""

    subject: str
    preheader: str
    mjml: str
    html: str

    @cached_property
    def text(self) -> str:
        """The plain-text part: what a reader without HTML gets."""
        return _text(self.html)


@dataclass(frozen=True)
class _Placeholder:
    """A merge field within a template."""

    tool: Tool
    name: str
    fallback: str = ""

    def __str__(self) -> str:
        return self.tool.field(self.name, self.fallback)

    def __html__(self) -> str:
        return self.tool.field_in_html(self.name, self.fallback)

    def __bool__(self) -> bool:
        raise RenderError(f"asks for {self.name} in a condition, which only the tool could answer; use fallback(...)")


def message(settings: Settings, campaign: Campaign, step: Step, language: str, tool: Tool = EXAMPLE) -> Message:
    """A step in a language, filled in for a tool (or with examples). Raises `RenderError`."""
    context = _context(settings, campaign, language, tool)
    words = _environment(folder_of(settings), autoescape=False)
    pages = _environment(folder_of(settings), autoescape=True)
    try:
        subject = words.from_string(step.subject[language]).render(context)
        preheader = words.from_string(step.preheader[language]).render(context)
        template = pages.get_template(f"{campaign.name}/{campaign.file(step, language).name}")
        source = template.render(context | {"subject": subject, "preheader": preheader})
    except TemplateNotFound as error:
        raise RenderError(f"there is no file {error.name}; write it") from None
    except TemplateSyntaxError as error:
        raise RenderError(f"line {error.lineno} of the template cannot be read ({error.message}); correct it") from None
    except TemplateError as error:
        raise RenderError(f"{error.message}; see docs/campaigns.md for what a template may name") from None
    try:
        html = mjml.mjml2html(source, disable_comments=True, fonts={})
    except ValueError as error:
        raise RenderError(f"is not MJML ({error}); correct the template") from None
    return Message(subject, preheader, source, html)


def fields_used(settings: Settings, campaign: Campaign, step: Step, language: str) -> frozenset[str]:
    """The names that the words of a step ask to be filled, known or not. Raises `RenderError`."""
    environment = _environment(folder_of(settings), autoescape=True)
    names: set[str] = set()
    try:
        for source in (
            step.subject[language],
            step.preheader[language],
            campaign.file(step, language).read_text("utf-8"),
        ):
            names |= meta.find_undeclared_variables(environment.parse(source))
    except OSError:
        raise RenderError(f"there is no file {campaign.file(step, language).name}; write it") from None
    except UnicodeDecodeError:
        raise RenderError(f"{campaign.file(step, language).name} is not UTF-8 text; save it as such") from None
    except TemplateSyntaxError as error:
        raise RenderError(f"line {error.lineno} of the template cannot be read ({error.message}); correct it") from None
    return frozenset(names - COMMON)


def _context(settings: Settings, campaign: Campaign, language: str, tool: Tool) -> dict:
    given = settings.campaigns
    brand = {"name": settings.business.name, "company": given.company, "address": given.address, **tool.brand}
    return {name: _Placeholder(tool, name) for name in FIELDS} | {
        "brand": brand,
        "colours": given.colours.model_dump(),
        "links": _Links(given.links),
        "reason": campaign.reason[language],
        "code": language,
        UNSUBSCRIBE: tool.unsubscribe,
    }


class _Links(dict):
    def __missing__(self, name: str) -> str:
        raise RenderError(f"campaigns.links of tangga.yml has no {name}; add it, or name another")


@cache
def _environment(folder: Path, *, autoescape: bool) -> SandboxedEnvironment:
    """What the company's folder lacks of the shared parts is taken from Tangga's own."""
    environment = SandboxedEnvironment(
        loader=FileSystemLoader([folder, FOLDER]), autoescape=autoescape, undefined=StrictUndefined
    )
    environment.filters["fallback"] = _fallback
    return environment


def _fallback(field: _Placeholder, text: str) -> _Placeholder:
    if not isinstance(field, _Placeholder):
        raise RenderError("gives a fallback to what is no merge field; take it away")
    if not PLAIN.fullmatch(text):
        raise RenderError(f"the fallback of {field.name} is made of letters, digits, blanks and .,!?- only; reword it")
    return _Placeholder(field.tool, field.name, text)


def _text(html: str) -> str:
    page = lxml.html.fromstring(html)
    for link in page.iter("a"):
        last = link[-1] if len(link) else None
        if last is None:
            link.text = f"{link.text or ''} <{link.get('href')}>"
        else:
            last.tail = f"{last.tail or ''} <{link.get('href')}>"
    text = Inscriptis(page, _PARAGRAPHS).get_text()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.splitlines())).strip() + "\n"
