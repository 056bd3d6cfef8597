"""Telling the e-mail tools to forget a person: asked again until each has acknowledged it."""

from __future__ import annotations

import pyarrow as pa

from tangga.destinations import open_destination
from tangga.destinations.destination import Chunk, Destination, DestinationRefused, is_same_account
from tangga.erasure.ledger_rows import Forgetting
from tangga.erasure.person import Person
from tangga.landing import normalise
from tangga.ledger import Ledger, database
from tangga.settings import Settings

COLUMNS = ("key", "customer_id", "address", "remote_id")
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])


def forget(settings: Settings, name: str, person: Person, request_id: str) -> int:
    """Let one destination forget a person; returns how many of its rows it was asked for. One that only holds files has
    lost the person with them (`kept.exports`).

    Raises `DestinationRefused` or `DestinationDown` when it has not acknowledged all of them.
    """
    if name not in settings.destinations:
        raise DestinationRefused(
            f"destinations.{name}: knows people, and {settings.config_path.name} does not name it any more; name it "
            "again until the erasure is acknowledged."
        )
    planned = {"as_of_date": "", "hash": request_id, "audiences": {}}
    destination = open_destination(settings, name, planned, request_id)
    try:
        if "erase" not in destination.sizes:
            return 0
        _confirm_account(settings, name, destination)
        rows = _rows(settings, name, person, destination.identity)
        size = destination.sizes["erase"]
        for number in range(0, len(rows), size):
            table = pa.Table.from_pylist(rows[number : number + size], schema=SCHEMA)
            chunk = Chunk(key=f"{name}:erase:{request_id}:{number}", operation="erase", list_name=None, rows=table)
            receipt = destination.send(chunk, None, lambda remote_id: None)
            if receipt.rejected:
                words = ", ".join(sorted({row.words for row in receipt.rejected}))
                raise DestinationRefused(
                    f"destinations.{name}: {len(receipt.rejected)} of {table.num_rows} contacts were not forgotten "
                    f"({words}); see to it there, then run the erasure again."
                )
        return len(rows)
    finally:
        destination.close()


def _confirm_account(settings: Settings, name: str, destination: Destination) -> None:
    """Whoever is unknown in another account, or in a list that was deleted, is not forgotten by that."""
    account = destination.account()
    with database.opened(settings) as engine:
        released = Ledger(engine).destination(name)["account"]
    if released and not is_same_account(released, account):
        raise DestinationRefused(
            f"destinations.{name}: is another account than the one that was released, which may still know the person; "
            "name that one again until the erasure is acknowledged."
        )


def _rows(settings: Settings, name: str, person: Person, identity: str) -> list[dict]:
    """What the ledger knows there, and what the tool may know from elsewhere: by address, whoever put it there."""
    with database.opened(settings) as engine:
        found = {row["key"]: row for row in Forgetting(engine).known(person, name)}
    nobody, addresses = dict.fromkeys(COLUMNS), {row["address"] for row in found.values()}
    spelled = dict.fromkeys(spelling for email in person.emails for spelling in (email, normalise.as_written(email)))
    unknown = [email for email in spelled if email not in addresses]
    found |= {email: nobody | {"key": email, "address": email} for email in unknown}
    for customer in person.customer_ids if identity == "customer_id" else ():
        found.setdefault(customer, nobody | {"key": customer, "customer_id": customer})
    return sorted(found.values(), key=lambda row: row["key"])
