"""The plan: the lists as they should be at the destinations, frozen in a file with a hash.

state/plans/<as-of>-<hash>/members.parquet   every member of every audience, with what a campaign needs
                           messages.parquet  the messages of the day, and those that are withheld from holdouts
                           plan.json         counts per audience and the checksums of both; the audiences that are
                                             left out because their campaign is not fit to be sent, and why
"""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

from tangga import audiences, engine, files, landing, publish, sends
from tangga.activation import suppressions
from tangga.campaigns import lint
from tangga.engine import literal
from tangga.landing import freshness
from tangga.settings import REFUSALS, Settings

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
"""

MESSAGES = f"select {', '.join(sends.COLUMNS)} from published.audiences.audience_due"

NOT_SILENT = """
    not exists (
        select 1 from silent
        where silent.customer_id = t.customer_id and coalesce(silent.channel, t.channel) = t.channel
    )
"""

FILES = ("members", "messages")


class ActivationRefused(Exception):
    """Nothing may be sent; the message says why and what to do."""


def make(settings: Settings, as_of: date) -> Path:
    """Freeze the plan for a day; returns its folder. The same lists give the same folder, untouched.

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
    _refuse_stale_refusals(settings, as_of, version)
    left_out = lint.refused(settings)
    plans = settings.home / "state" / "plans"
    plans.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = plans / ".part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    with engine.scratch(settings) as con:
        con.execute(f"attach {literal(publish.database(settings, 'private'))} as published (read_only)")
        suppressions.load(con, settings)
        for name, query in zip(FILES, (MEMBERS, MESSAGES), strict=True):
            fit = f"select * from ({query}) as t where not list_contains(?, audience) and {NOT_SILENT}"
            con.execute(f"create temp table {name} as {fit}", [list(left_out)])
            rows, file = f"select * from {name} order by audience, customer_id", literal(part / f"{name}.parquet")
            con.execute(f"copy ({rows}) to {file} (format parquet, compression zstd)")
        counts = con.execute(
            "select audience, any_value(channel), count(*) from members group by audience order by audience"
        ).fetchall()
        suppressions.keep(con, settings)
    checksums = {name: files.sha256(part / f"{name}.parquet") for name in FILES}
    checksum = hashlib.sha256("".join(checksums.values()).encode()).hexdigest()
    plan = {
        "as_of_date": as_of.isoformat(),
        "hash": checksum,
        "published_version": version.version,
        "code_version": version.code_version,
        "stale_sources": version.stale_sources,
        **{f"{name}_sha256": found for name, found in checksums.items()},
        "audiences": {
            name: {"label": _label(name), "channel": channel, "rows": rows} for name, channel, rows in counts
        },
        "left_out": left_out,
    }
    target = plans / f"{as_of}-{checksum[:12]}"
    target.mkdir(exist_ok=True, mode=0o700)
    for name in FILES:
        files.replace(part / f"{name}.parquet", target / f"{name}.parquet")
    files.write_atomically(target / "plan.json", json.dumps(plan, indent=2) + "\n")
    part.rmdir()
    return target


def read(folder: Path) -> dict:
    """The plan of a folder, as `make` wrote it."""
    return json.loads((folder / "plan.json").read_text(encoding="utf-8"))


def confirm(settings: Settings, folder: Path) -> dict:
    """The plan, if it may still be delivered. Raises `ActivationRefused` when something newer was
    published since, or when its members or messages are not the ones that were planned."""
    planned, version = read(folder), publish.current(settings)
    if version is None or planned["published_version"] != version.version:
        raise ActivationRefused(
            f"{folder}: was made from {planned['published_version']}, which is not what is published now; "
            "make a new plan."
        )
    for name in FILES:
        if files.sha256(folder / f"{name}.parquet") != planned[f"{name}_sha256"]:
            raise ActivationRefused(f"{folder}: its {name} were changed after it was made; make a new plan.")
    _refuse_later_refusals(settings, date.fromisoformat(version.as_of_date))
    return planned


def _refuse_stale_refusals(settings: Settings, as_of: date, version: publish.Version) -> None:
    """Who said no is read from consents and messages: without those of the day, and of each day before it that a
    source delivers by itself, nobody is written to; nor when some landed that the published version has not seen, be it
    of a later day, or of a source that the settings do not name any more."""
    _refuse_later_refusals(settings, as_of)
    for entity in REFUSALS:
        for source in landing.sources_of(settings, entity):
            if source not in settings.sources or entity not in settings.sources[source].entities:
                raise ActivationRefused(
                    f"The {entity} of {source} have landed before, and {settings.config_path.name} does not name them "
                    f"any more: who said no there would be written to. Name the source again, or move its folder in "
                    f"landing/{entity} away if what was said there no longer counts."
                )
    for source, spec in settings.sources.items():
        for entity in (name for name in REFUSALS if name in spec.entities):
            known = freshness.of_entity(settings, source, entity, as_of)
            lacking = known.missing or ((as_of,) if known.is_stale else ())
            if lacking:
                raise ActivationRefused(
                    f"The {entity} of {source} for {freshness.named(lacking)} have not been landed and let in by the "
                    "inbound gate, so that nobody knows who said no since; land them, build the day again and "
                    "activate it."
                )
            if version.landing.get(known.key) != known.content:
                raise ActivationRefused(
                    f"The {entity} of {source} have landed anew since {as_of} was published, and may hold the no of "
                    "somebody who is on a list; build the day again and activate it."
                )


def _refuse_later_refusals(settings: Settings, as_of: date) -> None:
    """Lists of a day are not sent any more once consents or messages of a later day have been let in."""
    for source, spec in settings.sources.items():
        for entity in (name for name in REFUSALS if name in spec.entities):
            later = landing.accepted_after(settings, entity, source, as_of)
            if later:
                raise ActivationRefused(
                    f"The {entity} of {source} for {freshness.named(later)} have landed, and may hold the no of "
                    f"somebody who is on the lists of {as_of}; build and activate the newest day."
                )


def _label(audience: str) -> str:
    """The label of the registry; an audience of a family is called by its own name behind it."""
    for entry in audiences.load():
        if not entry.family and entry.model == f"aud_{audience}":
            return entry.label
    return audience.replace("_", " ")
