"""E-mail addresses and telephone numbers in their one normal form.

Done once, at landing, in Python: engines disagree about `lower('İ')`, and one person must have one
address wherever it is compared or hashed.
"""

from __future__ import annotations

import unicodedata

import duckdb
import phonenumbers
import pyarrow as pa
from email_validator import EmailNotValidError, validate_email

SPACES = " \t\r\n\u00a0\u2007\u202f\u200b\ufeff"
"""What is trimmed off both ends of every text."""


def email(raw: str) -> str | None:
    """The normal form of an address (NFKC, lower case, IDN domain as ASCII), None when it is none."""
    text = unicodedata.normalize("NFKC", raw).strip(SPACES).lower()
    try:
        parts = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{unicodedata.normalize('NFKC', parts.local_part.lower())}@{parts.ascii_domain.lower()}"


def phone(raw: str, country: str) -> str | None:
    """A number as E.164, None when it cannot be one. `country` is where a national number is from."""
    text = unicodedata.normalize("NFKC", raw).strip(SPACES)
    for candidate in (text, f"+{text}"):
        try:
            number = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def build_lookup(con: duckdb.DuckDBPyConnection, table: str, distinct_values: str, convert) -> None:
    """Create temp table `table` (raw, normal): `convert` applied once to each value of a query."""
    raw = [row[0] for row in con.execute(distinct_values).fetchall()]
    lookup = pa.table({"raw": pa.array(raw, pa.string()), "normal": pa.array(map(convert, raw), pa.string())})
    con.register("lookup", lookup)
    con.execute(f"create or replace temp table {table} as select * from lookup")
    con.unregister("lookup")
