"""Subject, preheader and text: not cut off, not shouted, and complete without HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tangga.campaigns.lint.versions import Versions
from tangga.settings import CampaignSettings

SHOUTED = re.compile(r"\b[^\W\d_a-z]{5,}\b|[!?]{2,}")
PRETENDED = re.compile(r"^\s*(re|fwd?|balas|terusan)\s*:", re.IGNORECASE)


def check(settings: CampaignSettings, made: Versions) -> Iterator[tuple[str, str]]:
    """Of one message."""
    limits, message = settings.limits, made.example
    if len(message.subject) > limits.subject_characters:
        yield (
            "subject",
            f"the subject has {len(message.subject)} characters of at most {limits.subject_characters}; shorten it",
        )
    for what, line in (("subject", message.subject), ("preheader", message.preheader)):
        if not line.isprintable():
            yield what, f"the {what} holds a line break or another sign that is not seen; write it in one line"
    if PRETENDED.search(message.subject):
        yield "subject", "the subject pretends to be an answer; take the 'Re:' away"
    low, high = limits.preheader_from_characters, limits.preheader_to_characters
    if not low <= len(message.preheader) <= high:
        yield "preheader", f"the preheader has {len(message.preheader)} characters; use {low} to {high}"
    if message.preheader.casefold().startswith(message.subject.casefold()):
        yield "preheader", "the preheader repeats the subject; let it say what comes next"
    for what, text in (("subject", message.subject), ("preheader", message.preheader), ("text", message.text)):
        for found in sorted(set(SHOUTED.findall(re.sub(r"<\S+>", "", text)))):
            yield "shouting", f"the {what} shouts '{found}'; say it calmly"
    for said, what in ((settings.company, "company"), (settings.address, "address")):
        if " ".join(said.split()) not in " ".join(message.text.split()):
            yield "sender", f"does not name the {what} of tangga.yml (campaigns.{what}); keep the shared footer"
