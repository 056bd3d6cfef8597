"""E-mail tools as destinations: people to deliver, chunks of them, and what came back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pyarrow as pa

from tangga.destinations.destination import Chunk, Destination, Receipt

COLUMNS = (
    *("key", "customer_id", "address", "remote_id", "first_name", "last_name", "segment", "rung", "nps_group"),
    *("greeting_name", "language", "preferred_category", "recommended_product", "coupon_policy", "next_birthday"),
)


def person(number: int, **own) -> dict:
    """A row of a plan; `own` replaces what is filled in."""
    address = f"ani{number}@example.com"
    return {
        "key": address, "customer_id": f"c{number:05}", "address": address, "remote_id": None,
        "first_name": "Ani", "last_name": "Wijaya", "segment": "Champions", "rung": "repeat customer",
        "nps_group": "promoter", "greeting_name": "Ani", "language": "id", "preferred_category": "Kopi",
        "recommended_product": "Kopi Gayo 200 g", "coupon_policy": "none", "next_birthday": date(2026, 8, 17),
    } | own  # fmt: skip


def people(count: int, start: int = 1, **own) -> list[dict]:
    return [person(number, **own) for number in range(start, start + count)]


def by_customer(rows: Iterable[dict]) -> list[dict]:
    """The same people, told apart by their customer's id."""
    return [row | {"key": row["customer_id"]} for row in rows]


def chunk(
    operation: str, rows: list[dict], list_name: str | None = None, key: str = "tool:0123456789abcdef:1"
) -> Chunk:
    schema = pa.schema([(name, pa.date32() if name == "next_birthday" else pa.string()) for name in COLUMNS])
    return Chunk(key, operation, list_name, pa.Table.from_pylist(rows, schema))


class Memory:
    """What a destination had remembered."""

    def __init__(self):
        self.kept: list[str] = []

    @property
    def last(self) -> str | None:
        return self.kept[-1] if self.kept else None


def send(
    destination: Destination,
    operation: str,
    rows: list[dict],
    list_name: str | None = None,
    memory: Memory | None = None,
) -> Receipt:
    """One chunk, sent once."""
    memory = memory or Memory()
    return destination.send(chunk(operation, rows, list_name), memory.last, memory.kept.append)


def why(receipt: Receipt) -> dict[str, str]:
    """What was said of whom."""
    return {rejected.key: rejected.words for rejected in receipt.rejected}
