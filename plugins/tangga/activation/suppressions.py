"""The company's own list of addresses that nobody is to be written at (`reference.suppressions`), as it stands when
something is sent: later than the build that put its people off the lists.

state/suppressions.json   what the list held when it was last gone by: hashed addresses
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from tangga import files, reference
from tangga.settings import Settings


class ListShrunk(Exception):
    """Addresses that were on the list are not any more; the message says how many and what to do."""


def load(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Create temp table `silent` (customer_id, channel; no channel: all of them), whom the list of this moment names.

    `published.core.dim_customers` has to be there. Raises `ListShrunk`, as somebody who was kept off all lists would be
    written to again, and `SettingsError` when the list cannot be read.
    """
    con.execute("create or replace table suppressions (address varchar, channel varchar)")
    if settings.reference.suppressions:
        reference.create_table(con, settings, "suppressions")
    known, now = _known(settings), _rows(con)
    gone = len(known - now)
    if gone:
        raise ListShrunk(
            f"{gone} of the addresses that reference.suppressions has held are not on it any more, and would be "
            f"written to again; put them back, or delete {_file(settings)} if that is what is wanted."
        )
    con.execute(
        """create or replace temp table silent as
        select customers.customer_id, suppressions.channel
        from suppressions
        inner join published.core.dim_customers as customers
            on suppressions.address in ('email:' || sha256(customers.email), 'phone:' || sha256(customers.phone))"""
    )


def keep(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Remember what the list held, after `load`."""
    rows = sorted(_rows(con))
    if rows or _file(settings).exists():
        files.write_atomically(_file(settings), json.dumps({"suppressed": rows}, indent=0) + "\n")


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "suppressions.json"


def _known(settings: Settings) -> set[tuple[str, str]]:
    if not _file(settings).exists():
        return set()
    said = files.read_json(_file(settings))
    if said is None:
        raise ListShrunk(
            f"{_file(settings)} is damaged, so that nobody knows whether reference.suppressions has lost an address; "
            "look at the list, then delete the file."
        )
    return {(address, channel) for address, channel in said["suppressed"]}


def _rows(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    return set(con.execute("select address, coalesce(channel, '') from suppressions").fetchall())
