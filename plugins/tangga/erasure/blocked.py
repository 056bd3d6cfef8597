"""Which rows are of people who asked to be forgotten: the same question when they land, and when they are taken out of
what has landed.

A person is known by five kinds of things, each of which has its tombstone: addresses, telephone numbers, records (the
id of a contact, in the namespace that it counts in), orders, and the browsers that nobody else has used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import duckdb
import pyarrow as pa

from tangga.contracts import Contract
from tangga.engine import literal
from tangga.erasure import hashes
from tangga.landing import normalise

RECORD_COLUMNS = ("contact_id", "referrer_contact_id", "referred_contact_id")
ADDRESS = re.compile(r"[^\s,;|\"'<>()\[\]{}=&?:]+@[^\s,;|\"'<>()\[\]{}=&?:]+")
MAY_BE_NOBODYS = ("events", "survey_responses")
"""Entities of which a row may name neither a contact nor an address."""

_CELLS = re.compile(r"[,;|\t\r\n\"]+")
_WORDS = re.compile(r"[\s,;|\"'<>()\[\]{}=&?]+")


@dataclass(frozen=True)
class Blocked:
    """The tombstones that hold, as (kind, digest), and the key that they were made with."""

    secret: bytes
    tombstones: frozenset[tuple[str, str]]

    def has(self, kind: str, *parts: str) -> bool:
        """Whether there is a tombstone for a value in its normal form."""
        return (kind, hashes.digest(self.secret, kind, *parts)) in self.tombstones

    def predicate(self, con: duckdb.DuckDBPyConnection, relation: str, contract: Contract, namespace: str) -> str:
        """A SQL condition that is true for the rows of `relation` that are of forgotten people, `false` when there are
        none. `relation` has the columns of the contract, `namespace` says where its ids count, as SQL."""
        hashes.create_macro(con, self.secret)
        con.register("_digests", pa.table({"digest": pa.array([found for _, found in self.tombstones], pa.string())}))
        con.execute("create or replace temp table _tombstones as from _digests")
        con.unregister("_digests")
        conditions = []
        for number, (kind, value) in enumerate(_known_by(contract, namespace)):
            table, salted = f"_gone_{number}", f"keyed('{kind}' || {_SEPARATOR} || value)"
            con.execute(
                f"create or replace temp table {table} as with known as materialized (select distinct {value} as value "
                f"from {relation}) select value from known where {salted} in (select digest from _tombstones)"
            )
            if con.execute(f"select count(*) from {table}").fetchone()[0]:
                conditions.append(f"coalesce({value} in (select value from {table}), false)")
        return " or ".join([*conditions, *self._in_texts(con, relation, contract)]) or "false"

    def _in_texts(self, con: duckdb.DuckDBPyConnection, relation: str, contract: Contract) -> Iterable[str]:
        """Rows that say of nobody whose they are, and name an address all the same, as in the address of a page."""
        nobody = _nobody(contract)
        for column in contract.columns if contract.entity in MAY_BE_NOBODYS else ():
            if column.type not in ("text", "json"):
                continue
            has_address = f"{nobody} and regexp_matches({column.name}, '@|%40')"
            query = f"select distinct {column.name} from {relation} where {has_address}"
            found = [text for (text,) in con.execute(query).fetchall() if self._mentions(unquote(text), "", "", False)]
            if found:
                con.register("_texts", pa.table({"value": pa.array(found, pa.string())}))
                con.execute(f"create or replace temp table _gone_{column.name} as from _texts")
                con.unregister("_texts")
                yield f"({nobody} and coalesce({column.name} in (select value from _gone_{column.name}), false))"

    def drop(self, con: duckdb.DuckDBPyConnection, table: str, contract: Contract, namespace: str) -> int:
        """Delete the rows of forgotten people from a table; returns how many."""
        condition = self.predicate(con, table, contract, literal(namespace))
        return 0 if condition == "false" else con.execute(f"delete from {table} where {condition}").fetchone()[0]

    def without(self, rejects: list[dict], contract: Contract, namespace: str, country: str) -> tuple[list[dict], int]:
        """The rejects that do not speak of forgotten people, and how many do: a line that nobody can split, or a value
        that nobody can read, may still name them."""
        kept = [reject for reject in rejects if not self.holds(reject.get("row"), contract, namespace, country)]
        return kept, len(rejects) - len(kept)

    def holds(
        self, row: Mapping[str, str | None] | str | None, contract: Contract, namespace: str, country: str
    ) -> bool:
        """Whether what a source wrote, which may be no good row, is or mentions somebody who asked to be forgotten."""
        if not row:
            return False
        if isinstance(row, str):
            return self._mentions(row, namespace, country)
        return any(
            self._is_value(name, value, contract, namespace, country)
            or self._mentions(value, namespace, country, False)
            for name, value in row.items()
            if value
        )

    def _is_value(self, name: str, value: str, contract: Contract, namespace: str, country: str) -> bool:
        kind = contract.column(name).type if name in contract.column_names else "text"
        if kind == "phone":
            return self._is_phone(value, country)
        if name in RECORD_COLUMNS:
            return self.has("record", namespace, landed_id(value))
        if name in ("order_id", "anonymous_id"):
            return self.has(name.removesuffix("_id"), namespace, value)
        return False

    def _mentions(self, text: str, namespace: str, country: str, ids: bool = True) -> bool:
        addresses = [normalise.email(found) for found in ADDRESS.findall(text)]
        if any(
            self.has("email", found) or self.has("record", namespace, address_id(found)) for found in addresses if found
        ):
            return True
        words = (
            {word.strip(normalise.SPACES) for split in (_CELLS, _WORDS) for word in split.split(text)} if ids else ()
        )
        return any(
            self.has("record", namespace, landed_id(word)) or self.has("order", namespace, word)
            or self._is_phone(word, country)
            for word in words
            if word
        )  # fmt: skip

    def _is_phone(self, text: str, country: str) -> bool:
        number = normalise.phone(text, country) if sum(map(str.isdigit, text)) >= 6 else None
        return number is not None and self.has("phone", number)


_SEPARATOR = "chr(31)"


def _known_by(contract: Contract, namespace: str) -> Iterable[tuple[str, str]]:
    """By what the rows of an entity tell whose they are: kind, and the value as SQL."""
    names = contract.column_names
    kinds = {column.name: column.type for column in contract.columns}
    yield from (("email", name) for name in names if kinds[name] == "email")
    yield from (("phone", name) for name in names if kinds[name] == "phone")
    yield from (("record", f"{namespace} || {_SEPARATOR} || {name}") for name in RECORD_COLUMNS if name in names)
    nobody = _nobody(contract)
    if "email" in names and "contact_id" in names:
        own = f"case when contact_id is null then {namespace} || {_SEPARATOR} || 'email:' || sha256(email) end"
        yield "record", own
    for kind in ("order", "anonymous"):
        if f"{kind}_id" in names:
            is_only = f" and {nobody}" if nobody and contract.entity != "orders" else ""
            yield kind, f"case when true{is_only} then {namespace} || {_SEPARATOR} || {kind}_id end"


def _nobody(contract: Contract) -> str:
    """A SQL condition: a row does not say whose it is; empty for entities that have no such columns."""
    names = contract.column_names
    return " and ".join(f"{name} is null" for name in ("contact_id", "email") if name in names)


def landed_id(raw: str) -> str:
    """The id of a contact as landing keeps it: one that is an address or a number is hashed."""
    text = raw.strip(normalise.SPACES)
    return normalise.hashed_id(text) if re.search(r"@|^[+][0-9][0-9 ().-]{7,}$", text) else text


def address_id(email: str) -> str:
    """The id of a record that is known by an address only, as dbt makes it."""
    return f"email:{hashlib.sha256(email.encode()).hexdigest()}"
