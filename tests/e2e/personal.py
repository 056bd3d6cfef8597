"""Looking for people in a database: their addresses, numbers, names, days of birth and words, in every column."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class People:
    """What a company knows its customers by, as its own files say it."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    names: frozenset[tuple[str, str]] = frozenset()
    texts: frozenset[str] = frozenset()
    """Days of birth (ISO), single names, what somebody wrote or was given: found where a value is the same."""

    _lengths: frozenset[int] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Numbers without what stands before them in their country, names word by word, all in small letters."""
        tidy = {
            "emails": {email.strip().lower() for email in self.emails},
            "phones": {re.sub(r"\D", "", phone).removeprefix("62").lstrip("0") for phone in self.phones},
            "names": {(first.lower().split()[-1], last.lower().split()[0]) for first, last in self.names},
            "texts": {text.strip().lower() for text in self.texts},
        }
        for name, values in tidy.items():
            object.__setattr__(self, name, frozenset(values - {""}))
        object.__setattr__(self, "_lengths", frozenset(len(phone) for phone in self.phones))

    def are_in(self, value: str) -> bool:
        """Whether one of them can be read in a text in small letters."""
        if re.search(r"[^\s@]@[^\s@]+\.", value) or value in self.texts or value in self.emails:
            return True
        digits = re.sub(r"[\s()+./-]", "", value)
        for run in re.findall(r"\d{9,}", digits):
            if any(run[i : i + n] in self.phones for n in self._lengths for i in range(len(run) - n + 1)):
                return True
        words = re.findall(r"[^\W\d_]+", value)
        pairs = set(zip(words, words[1:], strict=False))
        return not self.names.isdisjoint(pairs | {pair[::-1] for pair in pairs})


def found(con: duckdb.DuckDBPyConnection, people: People) -> tuple[set[str], int]:
    """The columns in which somebody can be found, as schema.table.column, and how many values were looked at. A list, a
    struct or JSON is looked at as it is written."""
    columns = con.execute(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema not in ('information_schema', 'pg_catalog')"
    ).fetchall()
    theirs, looked_at = set(), 0
    for table, column in columns:
        values = con.execute(f'select distinct lower(cast("{column}" as varchar)) from {table}').fetchall()
        looked_at += len(values)
        if any(value is not None and people.are_in(value) for (value,) in values):
            theirs.add(f"{table}.{column}")
    return theirs, looked_at


def of_demo(home: Path) -> People:
    """The people of the demo company, from the files that it was landed from."""
    contacts = list(_rows(home / "inbox" / "shop" / "contacts.csv"))
    written = [row["comment"] for row in _rows(home / "inbox" / "survey" / "responses.csv", ";")]
    written += [row["reason"] for row in _rows(home / "inbox" / "shop" / "refunds.csv")]
    for file in sorted((home / "inbox" / "shop").glob("orders_*.csv.gz")):
        written += [row["coupon"] for row in _rows(file)]
    return People(
        emails=frozenset(row["email"] for row in contacts if "@" in row["email"]),
        phones=frozenset(row["phone"] for row in contacts if len(row["phone"]) > 9),
        names=frozenset(
            (row["first_name"], row["last_name"]) for row in contacts if row["first_name"] and row["last_name"]
        ),
        texts=frozenset(
            [
                *written,
                *(_iso(row["birth_date"]) for row in contacts),
                *(row[name] for row in contacts for name in ("first_name", "last_name")),
            ]
        ),
    )


def _rows(file: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8-sig", newline="") as handle:
        yield from csv.DictReader(handle, delimiter=delimiter)


def _iso(day: str) -> str:
    found = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", day)
    return f"{found[3]}-{found[2]}-{found[1]}" if found else day
