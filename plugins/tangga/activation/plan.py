"""The plan: the lists as they should be at the destinations, frozen in a file with a hash.

state/plans/<as-of>-<hash>/members.parquet   every member of every audience, with what a campaign needs
                           messages.parquet  the messages of the day, and those that are withheld from holdouts
                           changes/<destination>.parquet   what each destination is to change, see `changes`
                           plan.json         counts per audience, list and destination, and the checksums of all; the
                                             audiences that are left out because their campaign is not fit to be sent,
                                             and why
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb

from tangga import alone, audiences, engine, files, ledger, publish, sends
from tangga.activation import changes, checksums, landed, suppressions
from tangga.activation.landed import ActivationRefused
from tangga.campaigns import lint
from tangga.destinations import open_destination
from tangga.destinations.destination import DestinationRefused
from tangga.engine import literal
from tangga.settings import Settings
from tangga.sources.records import SourceRefused

MEMBERS = """
    select
        members.audience,
        members.customer_id,
        members.channel,
        customers.email,
        customers.phone,
        customers.first_name,
        customers.last_name,
        personalization.greeting_name,
        personalization.language,
        lifecycle.rung_name as rung,
        rfm.segment,
        satisfaction.nps_group,
        personalization.preferred_category,
        personalization.recommended_product,
        personalization.coupon_policy,
        personalization.next_birthday,
        members.why,
        members.entry_key,
        members.entered_on,
        members.step,
        members.template,
        members.is_due
    from published.audiences.audience_members as members
    inner join published.core.dim_customers as customers on members.customer_id = customers.customer_id
    inner join published.customer.customer_lifecycle as lifecycle on members.customer_id = lifecycle.customer_id
    inner join published.customer.customer_personalization as personalization
        on members.customer_id = personalization.customer_id
    left join published.customer.customer_rfm as rfm on members.customer_id = rfm.customer_id
    left join published.customer.customer_satisfaction as satisfaction
        on members.customer_id = satisfaction.customer_id
"""

MESSAGES = f"select {', '.join(sends.COLUMNS)} from published.audiences.audience_due"

NOT_SILENT = """
    not exists (
        select 1 from silent
        where silent.customer_id = t.customer_id and coalesce(silent.channel, t.channel) = t.channel
    )
"""

FILES = ("members", "messages")


def make(settings: Settings, as_of: date) -> Path:
    """Freeze the plan for a day; returns its folder. The same lists, and the same ones acknowledged, give the same
    folder, untouched.

    Raises `ActivationRefused` unless that day is the newest published one, so that a backfill of the
    past never writes to anybody.
    """
    version = publish.current(settings)
    if version is None:
        raise ActivationRefused("Nothing is published yet; run crm_build first.")
    if version.as_of_date != as_of.isoformat():
        raise ActivationRefused(
            f"{as_of} is not the newest published day, which is {version.as_of_date}; "
            "lists of another day are never sent. Activate that one, or build this day anew if it should be newest."
        )
    landed.refuse_stale_refusals(settings, as_of, version)
    left_out = lint.refused(settings)
    plans = settings.home / "state" / "plans"
    plans.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone.alone(plans / ".lock", "another plan is being made; wait until it is, then try again."):
        part = plans / ".part"
        shutil.rmtree(part, ignore_errors=True)
        (part / "changes").mkdir(parents=True, mode=0o700)
        with engine.scratch(settings) as con, ledger.opened(settings) as book:
            con.execute(f"attach {literal(publish.database(settings, 'private'))} as published (read_only)")
            _freeze_members(con, settings, book, left_out, part)
            counts = con.execute(
                "select audience, any_value(channel), count(*) from members group by audience order by audience"
            ).fetchall()
            entries = audiences.load()
            plan = {
                "as_of_date": as_of.isoformat(),
                "hash": "",
                "published_version": version.version,
                "code_version": version.code_version,
                "rules": version.rules,
                "stale_sources": version.stale_sources,
                **{f"{name}_sha256": files.sha256(part / f"{name}.parquet") for name in FILES},
                "audiences": {
                    name: {"label": _label(name, entries), "channel": channel, "rows": rows}
                    for name, channel, rows in counts
                },
                "left_out": left_out,
            }
            plan["destinations"] = {
                name: _changes(con, settings, book, name, plan, part) for name in settings.destinations
            }
            suppressions.keep(con, settings)
        plan["hash"] = _hash(plan)
        target = plans / f"{as_of}-{plan['hash'][:12]}"
        (target / "changes").mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in part.rglob("*.parquet"):
            files.replace(file, target / file.relative_to(part))
        files.write_atomically(target / "plan.json", json.dumps(plan, indent=2) + "\n")
        shutil.rmtree(part)
    return target


def _freeze_members(
    con: duckdb.DuckDBPyConnection, settings: Settings, book: ledger.Ledger, left_out: Mapping, part: Path
) -> None:
    """Create `members`, `messages`, and `kept`, the members of audiences that are left out; write the first two."""
    suppressions.load(con, settings)
    changes.load(con, "refused", book.refusals(), changes.REFUSALS)
    con.execute(
        "insert into silent select customers.customer_id, 'email' from published.core.dim_customers as customers "
        "where customers.email in (select address from refused)"
    )
    for name, query in zip(FILES, (MEMBERS, MESSAGES), strict=True):
        fit = f"select * from ({query}) as t where not list_contains(?, audience) and {NOT_SILENT}"
        con.execute(f"create temp table {name} as {fit}", [list(left_out)])
        rows, file = f"select * from {name} order by audience, customer_id", literal(part / f"{name}.parquet")
        con.execute(f"copy ({rows}) to {file} (format parquet, compression zstd)")
    unfit = f"select audience, email from ({MEMBERS}) as t where list_contains(?, audience) and {NOT_SILENT}"
    con.execute(f"create temp table kept as {unfit}", [list(left_out)])


def _changes(
    con: duckdb.DuckDBPyConnection, settings: Settings, book: ledger.Ledger, name: str, plan: dict, part: Path
) -> dict:
    """What the plan says of a destination. One that cannot be used does not hold up the others: it is refused."""
    try:
        with closing(open_destination(settings, name, plan, "")) as destination:
            return changes.freeze(con, settings, book, name, destination, part / "changes" / f"{name}.parquet")
    except (DestinationRefused, SourceRefused) as error:
        return {"refused": str(error), "hash": "", "lists": {}, "operations": {}}


def _hash(plan: Mapping) -> str:
    parts = [*(plan[f"{name}_sha256"] for name in FILES), *(entry["hash"] for entry in plan["destinations"].values())]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def read(folder: Path) -> dict:
    """The plan of a folder, as `make` wrote it."""
    return json.loads((folder / "plan.json").read_text(encoding="utf-8"))


def confirm(settings: Settings, folder: Path) -> dict:
    """The plan, if it may still be delivered. Raises `ActivationRefused` when something newer was
    published since, or when its files are not the ones that were planned."""
    planned, version = read(folder), publish.current(settings)
    if version is None or planned["published_version"] != version.version:
        raise ActivationRefused(
            f"{folder}: was made from {planned['published_version']}, which is not what is published now; "
            "make a new plan."
        )
    landed.refuse_later_refusals(settings, date.fromisoformat(version.as_of_date))
    expected = {f"{name}.parquet": planned[f"{name}_sha256"] for name in FILES}
    for name, entry in planned["destinations"].items():
        if not entry.get("refused"):
            expected[f"changes/{name}.parquet"] = entry["sha256"]
            if entry["hash"] != checksums.of_changes(name, entry):
                raise ActivationRefused(f"{folder}: plan.json was changed after it was made; make a new plan.")
    for name, checksum in expected.items():
        if not (folder / name).is_file() or files.sha256(folder / name) != checksum:
            raise ActivationRefused(
                f"{folder}: its {name.removesuffix('.parquet')} were changed after it was made; make a new plan."
            )
    if planned["hash"] != _hash(planned):
        raise ActivationRefused(f"{folder}: plan.json was changed after it was made; make a new plan.")
    return planned


def entry_of(settings: Settings, planned: Mapping, name: str) -> dict:
    """What a plan says of a destination. Raises `ActivationRefused` when that is not set up as it was when the plan was
    made."""
    entry = planned["destinations"].get(name)
    if entry is None or name not in settings.destinations:
        raise ActivationRefused(
            f"{name}: is not a destination of both this plan and {settings.config_path.name}; trigger crm_activate "
            "again for a new plan."
        )
    if entry.get("settings", "") not in ("", checksums.of_settings(settings, name)):
        raise ActivationRefused(
            f"{name}: its settings in {settings.config_path.name} were changed since this plan was made; trigger "
            "crm_activate again for a new one."
        )
    return entry


def _label(audience: str, entries: Sequence[audiences.Audience]) -> str:
    """The label of the registry; an audience of a family is called by its own name behind it."""
    for entry in entries:
        if not entry.family and entry.model == f"aud_{audience}":
            return entry.label
    return audience.replace("_", " ")
