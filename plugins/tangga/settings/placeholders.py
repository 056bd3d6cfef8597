"""`{name}` in an address or a parameter: what fills it is known when a run begins."""

from __future__ import annotations

import re
from collections.abc import Mapping

PERIOD = ("begin", "end", "begin_unix", "end_unix", "ds")
"""The time that a run reads: instants in UTC, as texts and as seconds since 1970, and the day."""

FIRST = ("begin", "begin_unix", "ds")
"""Those of them by which a day can be told from the others."""

ADDRESS = ("host", "login")
"""Of the connection, for the address of the whole source only."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def within(*texts: str) -> set[str]:
    """The names in these texts; other braces are what they are."""
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled. KeyError for one that `values` lacks."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
