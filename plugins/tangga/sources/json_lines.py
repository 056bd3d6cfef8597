"""JSON as texts, exactly as they were written: `1.10` stays `1.10` and large ids stay whole."""

from __future__ import annotations

import json
import re
from typing import Any

_JSON = json.JSONEncoder(ensure_ascii=False).encode
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")


class Unusable(ValueError):
    """The JSON cannot be used; the message says why, without its content."""


class _Number(str):
    """A number as written, told apart from a text so that nested ones stay numbers."""

    __slots__ = ()


def read(line: str) -> dict[str, str | None]:
    """The object on a line: values as text, nested values as JSON text. Raises `Unusable`."""
    return texts(parse(line), "\\u" in line)


def parse(written: str) -> Any:
    """What is written, every number as the text that it is. Raises `Unusable`."""
    try:
        return json.loads(written, parse_float=_Number, parse_int=_Number, parse_constant=_no_number)
    except Unusable:
        raise
    except (ValueError, RecursionError):
        raise Unusable("is not JSON") from None


def texts(record: Any, is_suspect: bool = True) -> dict[str, str | None]:
    """A parsed object: values as text, nested values as JSON text. Raises `Unusable`.

    Without an escape in what was written there is no letter that is none: then `is_suspect` is False.
    """
    if not isinstance(record, dict):
        raise Unusable("is not a JSON object")
    try:
        found = {key.strip(): text(value) for key, value in record.items()}
    except RecursionError:
        raise Unusable("is not JSON") from None
    if len({key.lower() for key in found}) < len(record):
        raise Unusable("names a key twice")
    if is_suspect and any(_NO_CHARACTER.search(part) for pair in found.items() for part in pair if part):
        raise Unusable("has an escape that is not a character")
    return found


def text(value: Any) -> str | None:
    """A parsed value as text: itself, or its JSON."""
    return value if value is None or isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """A parsed value as JSON, keys in order, numbers as they were written."""
    if isinstance(value, _Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{as_json(key)}:{as_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return _JSON(value)


def _no_number(name: str):
    raise Unusable(f"is not JSON: it has {name}")
