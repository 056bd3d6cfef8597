"""E-mail addresses and telephone numbers in their one normal form.

Done once, at landing, in Python: engines disagree about `lower('İ')`, and one person must have one
address wherever it is compared or hashed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import duckdb
import phonenumbers
import pyarrow as pa
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

SPACES = " \t\r\n\u00a0\u2007\u202f\u200b\ufeff"
"""What is trimmed off both ends of every text."""

_PLAIN_LOCAL = re.compile(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*")


def email(raw: str) -> str | None:
    """The normal form of an address (NFKC, lower case, IDN domain as ASCII), None when it is none."""
    text = unicodedata.normalize("NFKC", raw).strip(SPACES).lower()
    local, _, domain = text.rpartition("@")
    if len(local) <= 64 and len(text) <= 128 and domain.isascii() and _PLAIN_LOCAL.fullmatch(local):
        ascii_domain = _ascii_domain(domain)  # nearly all addresses: checking a domain once is 20 times faster
        return f"{local}@{ascii_domain}" if ascii_domain else None
    parts = _validated(text)
    return f"{unicodedata.normalize('NFKC', parts.local_part.lower())}@{parts.ascii_domain.lower()}" if parts else None


def as_written(address: str) -> str:
    """An address in its normal form as a person would write it: an international domain in its own letters."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode().decode('idna')}" if "xn--" in domain else address
    except UnicodeError:
        return address


def phone(raw: str, country: str) -> str | None:
    """A number as E.164, None when it cannot be one. `country` is where a national number is from."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", raw), country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def hashed_id(raw: str) -> str:
    """What stands for an id that is an e-mail address or a telephone number, which must not travel on as a key.

    For an address it is the id that dbt gives to somebody who is known by that address only.
    """
    kind, normal = ("email", email(raw) or raw.lower()) if "@" in raw else ("phone", phone(raw, "ZZ") or raw)
    return f"{kind}:{hashlib.sha256(normal.encode()).hexdigest()}"


def build_lookup(
    con: duckdb.DuckDBPyConnection, table: str, distinct_values: str, convert: Callable[[str], str | None]
) -> None:
    """Create temp table `table` (raw, normal): `convert` applied once to each value of a query."""
    raw = [row[0] for row in con.execute(distinct_values).fetchall()]
    lookup = pa.table({"raw": pa.array(raw, pa.string()), "normal": pa.array(map(convert, raw), pa.string())})
    con.register("_lookup", lookup)
    con.execute(f"create temp table {table} as select * from _lookup")
    con.unregister("_lookup")


def _validated(text: str) -> ValidatedEmail | None:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None


@lru_cache(maxsize=100_000)
def _ascii_domain(domain: str) -> str | None:
    parts = _validated(f"a@{domain}")
    return parts.ascii_domain.lower() if parts else None
