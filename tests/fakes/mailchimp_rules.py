"""What Mailchimp takes as an address and as merge fields, and in which words it refuses the rest.

Checked against
- answers recorded in https://github.com/grouparoo/grouparoo (plugins/@grouparoo/mailchimp/__tests__/fixtures): "Your
  merge fields were invalid." with `errors` (`{"field":"LTV","message":"Please enter a number"}`)
- "Please enter a value", "... looks fake or invalid, please enter a real email address.", "... was permanently deleted
  and cannot be re-imported. The contact must re-subscribe to get back on the list." and the title "Forgotten Email Not
  Subscribed", as tests and logs of several public clients quote them
Not documented: what happens to a merge field that the audience does not have. Answers that were recorded suggest that
it is ignored in silence, others report an error: `unknown_fields` chooses. Nor are the words for role addresses.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date

from starlette.responses import Response

from tests.fakes.mailchimp import problem
from tests.fakes.server import Refused, answer

INVALID = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
ROLES = frozenset({"abuse", "admin", "noc", "postmaster", "root", "security", "spam", "webmaster"})
ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
MAX_TAG = 10


def md5(address: str) -> str:
    """The id of a member."""
    return hashlib.md5(address.lower().encode()).hexdigest()


def invalid(detail: str, errors: list[tuple[str, str]] | None = None, title: str = "Invalid Resource") -> Response:
    """A 400 as Mailchimp writes it; `errors` are fields and what is wrong with them."""
    about = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title, "status": 400,
        "detail": detail, "instance": "9c1e7e0c-a22a-4e34-af47-5463c4f5cd25",
    }  # fmt: skip
    if errors is not None:
        about["errors"] = [{"field": name, "message": message} for name, message in errors]
    return answer(about, 400, kind="application/problem+json; charset=utf-8")


def refuse(detail: str, errors: list[tuple[str, str]] | None = None, title: str = "Invalid Resource") -> None:
    raise Refused(invalid(detail, errors, title))


def need_address(given: object, words: dict[str, str]) -> str:
    """An address that Mailchimp takes; `words` are what it says of those that it has blocked itself."""
    if not isinstance(given, str):
        found = "NULL" if given is None else type(given).__name__
        refuse(INVALID, [("email_address", f"Schema describes string, {found} found instead")])
    name, _, domain = given.partition("@")
    if not ADDRESS.fullmatch(given):
        refuse("Please provide a valid email address.")
    if given.lower() in words:
        refuse(f"{given} {words[given.lower()]}")
    if name.lower() in ROLES or domain.lower().endswith((".invalid", ".test")):
        refuse(f"{given} looks fake or invalid, please enter a real email address.")
    return given


def need_status(sent: dict, name: str) -> str:
    if name not in sent:
        refuse(INVALID, [("", f"Required fields were not provided: {name}")])
    if sent[name] not in STATUSES:
        refuse(INVALID, [(name, f"Value must be one of these: {', '.join(STATUSES)}")])
    return sent[name]


def need_merge_fields(given: object, defined: dict[str, dict], unknown: str, required: bool) -> dict:
    """The merge fields that the audience has. `required`: those that it must have must be there."""
    if not isinstance(given, dict):
        refuse(INVALID, [("merge_fields", f"Schema describes object, {type(given).__name__} found instead")])
    wrong = [
        (f"merge_fields.{tag}", "Schema describes string, NULL found instead")
        for tag, value in given.items()
        if value is None
    ]
    if wrong:
        refuse(INVALID, wrong)
    if unknown == "refuse":
        wrong += [(tag, "This merge field does not exist") for tag in given if tag not in defined]
    wrong += [
        (tag, words)
        for tag, value in given.items()
        if tag in defined and value != "" and (words := _wrong(defined[tag], value))
    ]
    if required:
        wrong += [
            (tag, "Please enter a value") for tag, field in defined.items() if field["required"] and not given.get(tag)
        ]
    if wrong:
        refuse("Your merge fields were invalid.", wrong)
    return {tag: value for tag, value in given.items() if tag in defined}


def _wrong(field: dict, value: object) -> str | None:
    kind = field["type"]
    if kind == "address":
        parts = ("addr1", "city", "state", "zip")
        return None if isinstance(value, dict) and all(value.get(part) for part in parts) else _WORDS[kind]
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return "Please enter a value"
    text = str(value)
    if kind in ("dropdown", "radio"):
        choices = field["options"].get("choices", [])
        return None if text in choices else f"Value must be one of these: {', '.join(choices)}"
    return None if kind not in _FITS or _FITS[kind](text) else _WORDS[kind]


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _is_birthday(text: str) -> bool:
    return re.fullmatch(r"\d\d/\d\d", text) is not None and _is_date(f"2000-{text[:2]}-{text[3:]}")


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text[:10]))
    except ValueError:
        try:
            month, day, year = map(int, text.split("/"))
            return bool(date(year, month, day))
        except ValueError:
            return False


_FITS = {
    "number": _is_number, "birthday": _is_birthday, "date": _is_date,
    "url": lambda text: text.startswith(("http://", "https://")),
    "imageurl": lambda text: text.startswith(("http://", "https://")),
}  # fmt: skip
_WORDS = {
    "number": "Please enter a number", "birthday": "Please enter a month (01-12) and a day (01-31)",
    "date": "Please enter a date", "url": "Please enter a URL", "imageurl": "Please enter a URL",
    "address": "Please enter a complete address",
}  # fmt: skip


def not_found() -> None:
    raise Refused(problem(404, "Resource Not Found", "The requested resource could not be found."))
