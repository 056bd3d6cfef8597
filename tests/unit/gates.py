"""Partitions and days for the tests of the gates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from expectations.checks import Check, GateResult
from tangga import files, landing, settings
from tangga.contracts import CONTRACTS, Column
from tangga.engine import literal
from tangga.landing.extract import landed_types

DAY = date(2024, 2, 1)
SECRETS = ("ani.secret@example.com", "+6281234567890", "6281234567890", "Nyai Rahasia")
HAS_ROWS = Check("row_count", "There are rows", "ExpectTableRowCountToBeBetween", {"min_value": 1})


def make_settings(folder: Path, *entities: str, limits: str = "", rules: str = "{}") -> settings.Settings:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "tangga.yml"
    listed = "".join(f"\n      {entity}: {{path: {entity}.csv{limits}}}" for entity in entities or ("contacts",))
    config.write_text(
        "business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}\n"
        f"rules: {rules}\nsources:\n  shop:\n    path: .\n    entities:{listed}\n"
    )
    return settings.load(config, folder / "home")


def failing(results: list[GateResult]) -> set[str]:
    return {check.description for result in results for check in result.checks if not check.success}


def errors(results: list[GateResult]) -> set[str]:
    return {check.description for result in results for check in result.checks if "error" in check.observed}


def verdicts(results: list[GateResult]) -> set[str]:
    return {result.verdict for result in results}


def good_value(column: Column):
    if column.allowed:
        return column.allowed[0]
    return {
        "instant": "2024-01-01 00:00:00", "date": "2000-01-01", "money": 1, "quantity": 1, "integer": 1,
        "email": SECRETS[0], "phone": SECRETS[1], "text": SECRETS[3],
    }.get(column.type, "1")  # fmt: skip


def good_row(entity: str) -> dict:
    contract = CONTRACTS[entity]
    row = {column.name: good_value(column) for column in contract.columns}
    row |= {f"is_{column.name}_valid": True for column in contract.columns if column.type in ("email", "phone")}
    return row | {"namespace": "shop", "_source": "shop", "_ds": DAY.isoformat(), "_file": "x.csv", "_line": 1}


def put(
    config: settings.Settings, entity: str, landed: list[dict], types: dict | None = None, times: int = 1, **figures
) -> None:
    """A landed partition of these rows, whatever they are, so many times over, with a manifest."""
    types = types or landed_types(CONTRACTS[entity])

    def value(row: dict, name: str) -> str:
        given = row.get(name)
        return f"cast({'null' if given is None else literal(str(given))} as {types[name]}) as {name}"

    folder = landing.folder(config, entity, "shop", DAY)
    folder.mkdir(parents=True, exist_ok=True)
    selects = [f"select {', '.join(value(row, name) for name in types)}" for row in landed or [{}]]
    query = f"select * from ({' union all by name '.join(selects)}), range({times if landed else 0}) as t(n)"
    query = f"select * exclude (n) from ({query})"
    duckdb.sql(f"copy ({query}) to {literal(str(folder / 'rows.parquet'))} (format parquet)")
    manifest = {"entity": entity, "source": "shop", "ds": DAY.isoformat(), "load": "snapshot", "file": "rows.parquet"}
    manifest |= {"rows": len(landed) * times, "rejected": 0, "sha256": "abc"} | figures
    (folder / "manifest.json").write_text(json.dumps(manifest))


def accepted(config: settings.Settings, entity: str, day: date, rows: int, verdict: str = "pass", **figures) -> Path:
    """What is kept of a day that was judged: the manifest and the verdict."""
    folder = landing.folder(config, entity, "shop", day)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"entity": entity, "source": "shop", "ds": day.isoformat(), "load": "snapshot", "file": "rows.parquet"}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"rows": rows, "rejected": 0, "sha256": "x"} | figures))
    (folder / "gate.json").write_text(json.dumps({"verdict": verdict, "sha256": "x", "failures": []}))
    return folder


MEMBERS = f"""
select * from (values
    ('welcome', 'a', 'email', 'new', 'k', '{SECRETS[0]}', '{SECRETS[1]}', '{SECRETS[3]}', 'id', null::integer, false),
    ('winback', 'a', 'sms', 'gone', 'k', null, '{SECRETS[1]}', '{SECRETS[3]}', 'id', null, false)
) as t(audience, customer_id, channel, why, entry_key, email, phone, first_name, language, step, is_due)
"""
CONTACTABLE = "from (values ('a', 'email', true, null), ('a', 'sms', true, null), ('b', 'email', false, 'revoked'))"
PLANNED = {"welcome": ("email", 1), "winback": ("sms", 1)}
NO_MESSAGES = (
    "select null::varchar as audience, null::varchar as customer_id, null::varchar as entry_key, "
    "null::integer as step, null::varchar as channel, null::varchar as template, null::varchar as test_group, "
    "null::date as as_of_date where false"
)


def make_plan(
    config: settings.Settings,
    members: str = MEMBERS,
    planned: dict = PLANNED,
    said: str = CONTACTABLE,
    messages: str = NO_MESSAGES,
    published: Sequence[str] = (),
) -> Path:
    """A plan's folder, and the published file that it is judged against, with rows that `published` inserts."""
    folder = config.home / "plan"
    folder.mkdir(parents=True)
    for name, query in {"members": members, "messages": messages}.items():
        duckdb.sql(f"copy ({query}) to {literal(str(folder / f'{name}.parquet'))} (format parquet)")
    plan = {
        "as_of_date": DAY.isoformat(),
        "hash": "sha256:0123456789abcdef0123",
        "published_version": "2024-02-01-x",
        "destinations": {},
        **{f"{name}_sha256": files.sha256(folder / f"{name}.parquet") for name in ("members", "messages")},
        "audiences": {
            name: {"channel": channel, "label": name, "rows": rows} for name, (channel, rows) in planned.items()
        },
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    version = config.home / "published" / "versions" / "x"
    version.mkdir(parents=True)
    (config.home / "published" / "private.duckdb").symlink_to("versions/x/private.duckdb")
    with duckdb.connect(str(version / "private.duckdb")) as con:
        con.execute(
            "create schema customer; create table customer.customer_contactability as "
            f"{said} as t(customer_id, channel, is_contactable, reason); "
            "create table customer.customer_pressure (customer_id text, channel text, messages_in_window int); "
            "create schema core; "
            "create table core.fct_sends (audience text, customer_id text, entry_key text, step int, template text)"
        )
        for statement in published:
            con.execute(statement)
    return folder
