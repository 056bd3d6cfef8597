"""A line of JSON as texts, exactly as they were written: `1.10` stays `1.10` and large ids stay whole."""

from __future__ import annotations

import json


class Unusable(ValueError):
    """The line cannot be used; the message says why, without its content."""


class _Number(str):
    """A number as written, told apart from a text so that nested ones stay numbers."""


def read(line: str) -> dict[str, str | None]:
    """The object on a line: values as text, nested values as JSON text. Raises `Unusable`."""
    try:
        record = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=_no_number)
        if not isinstance(record, dict):
            raise Unusable("is not a JSON object")
        texts = {key.strip(): _text(value) for key, value in record.items()}
    except Unusable:
        raise
    except (ValueError, RecursionError):
        raise Unusable("is not JSON") from None
    if len({key.lower() for key in texts}) < len(record):
        raise Unusable("names a key twice")
    if "\\u" in line and not all(_is_text(part) for pair in texts.items() for part in pair if part):
        raise Unusable("has an escape that is not a character")
    return texts


def _text(value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _json(value)


def _json(value) -> str:
    if isinstance(value, _Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _no_number(name: str):
    raise Unusable(f"is not JSON: it has {name}")


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
