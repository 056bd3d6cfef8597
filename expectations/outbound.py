"""The door out: may this plan be delivered as it stands?

A plan is a folder with `plan.json`, `members.parquet`, `messages.parquet` and the changes of each destination. Consent
is judged against the published warehouse, not against the plan's own word; `restraint` judges the messages, `changes`
what each destination is told. An audience that the plan leaves out, because its campaign is not fit to be sent, and a
destination that cannot be used, are warnings that say why; the others go on. How much may change without anybody's
agreement is not asked here, but by `tangga.activation.limits`.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from expectations import changes, gate, restraint
from expectations.checks import Check, CheckResult, GateResult, GateStopped, raise_if_stopped, unexpected_rows
from tangga import files
from tangga.engine import literal
from tangga.settings import Settings
from tangga.sources.relations import quoted

__all__ = ["GateResult", "GateStopped", "check", "raise_if_stopped"]

NORMAL_EMAIL = r"^[^@\sA-Z]+@[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
"""What `tangga.landing.normalise.email` gives: no blanks, no ASCII capitals, the domain as ASCII."""

FORMULA = r"^[=+\-@\t\r＝＋－＠]"
PLAIN_PHONE = r"^\+[0-9]+$"


class _Plan(NamedTuple):
    day: date
    hash: str
    audiences: dict[str, tuple[str, int]]
    """Name -> channel, and how many members it was planned with."""
    left_out: dict[str, list[str]]
    """Name -> why its campaign is not sent."""
    destinations: dict[str, dict]
    """Name -> what the plan says of its changes."""


def check(settings: Settings, plan_folder: Path) -> list[GateResult]:
    """Judge a frozen plan; the one result is named plan.<start of its hash>.

    An empty plan is a `warn`. Raises `GateStopped` when the plan cannot be read, or when its members or
    messages are not the ones that were planned.
    """
    plan = _read(plan_folder)
    members = plan_folder / "members.parquet"
    # A pointer would open whatever it points to later, too: the version of this moment is what is judged.
    database = (settings.home / "published" / "private.duckdb").resolve()
    rows = f"select * from read_parquet({literal(str(members))}, hive_partitioning = false)"
    assets = {rows: _member_checks()}
    assets |= _channels(plan.audiences, rows) | _counts(plan.audiences, rows) | _formulas(members, rows)
    assets |= restraint.assets(settings, plan.day, members, plan_folder / "messages.parquet")
    assets |= changes.assets(plan_folder, plan.destinations, NORMAL_EMAIL)
    name = "plan." + re.sub(r"[^0-9A-Za-z]", "", plan.hash)[:16]
    remedy = "Nothing is sent; publish the day if it is not, then make the plan again."
    result = gate.run(
        settings,
        "outbound",
        plan.day,
        name,
        assets,
        database=database,
        where=str(plan_folder),
        remedy=remedy,
        known=[*_campaigns(plan.left_out), *changes.unusable(plan.destinations)],
    )
    return [result]


def _read(folder: Path) -> _Plan:
    """plan.json, the files beside it checked against their checksums. Raises `GateStopped`."""
    remedy = "nothing is sent; make the plan again"
    try:
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        audiences = {name: (str(spec["channel"]), int(spec["rows"])) for name, spec in plan["audiences"].items()}
        left_out = {name: list(map(str, sentences)) for name, sentences in plan.get("left_out", {}).items()}
        destinations = dict(plan["destinations"])
        result = _Plan(date.fromisoformat(plan["as_of_date"]), str(plan["hash"]), audiences, left_out, destinations)
        expected = {f"{name}.parquet": plan[f"{name}_sha256"] for name in ("members", "messages")}
        usable = {name: entry for name, entry in destinations.items() if not entry.get("refused")}
        expected |= {f"changes/{name}.parquet": entry["sha256"] for name, entry in usable.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GateStopped(f"{folder}: plan.json cannot be used ({type(error).__name__}); {remedy}.") from None
    for name, checksum in expected.items():
        if not (folder / name).is_file():
            raise GateStopped(f"{folder}: {name} is missing; {remedy}.")
        if files.sha256(folder / name) != checksum:
            raise GateStopped(f"{folder}: {name} was changed after it was planned; {remedy}.")
    return result


def _member_checks() -> list[Check]:
    return [
        Check("row_count", "There is somebody to send to", "ExpectTableRowCountToBeBetween", {"min_value": 1}, "warn"),
        Check("required", "audience is never empty", "ExpectColumnValuesToNotBeNull", {"column": "audience"}),
        Check("required", "customer_id is never empty", "ExpectColumnValuesToNotBeNull", {"column": "customer_id"}),
        Check("unique", "Nobody is twice in an audience", "ExpectCompoundColumnsToBeUnique",
              {"column_list": ["audience", "customer_id"]}),
        unexpected_rows(
            "address",
            "Every member of an e-mail audience has an address",
            "select 1 from {batch} where channel = 'email' and email is null",
        ),
        unexpected_rows(
            "emails",
            "Every address is in its normal form",
            f"select 1 from {{batch}} where not regexp_matches(email, {literal(NORMAL_EMAIL)})",
        ),
        unexpected_rows(
            "consent",
            "Every member may be contacted through the channel",
            # A customer who is listed twice may be contacted only if both rows say so.
            "select 1 from {batch} as member left join (select customer_id, channel, "
            "bool_and(coalesce(is_contactable, false)) as is_contactable from customer.customer_contactability "
            "group by customer_id, channel) as said using (customer_id, channel) where is_contactable is not true",
        ),
    ]  # fmt: skip


def _channels(audiences: dict[str, tuple[str, int]], rows: str) -> dict[str, list[Check]]:
    """Of each member whether the channel is the audience's: or one could be judged by another channel's consent."""
    cases = " ".join(f"when {literal(name)} then {literal(channel)}" for name, (channel, _) in audiences.items())
    planned = f"case audience {cases} else channel end" if cases else "channel"
    arguments = {"column": "is_planned", "value_set": [True]}
    check = Check("channel", "Every member's channel is that of the audience", "ExpectColumnValuesToBeInSet", arguments)
    return {f"select channel is not distinct from {planned} as is_planned from ({rows})": [check]}


def _campaigns(left_out: dict[str, list[str]]) -> list[CheckResult]:
    return [
        CheckResult("campaign", f"The campaign of {name} is fit to be sent", "warn", False, {"found": " ".join(why)})
        for name, why in sorted(left_out.items())
    ]


def _counts(audiences: dict[str, tuple[str, int]], rows: str) -> dict[str, list[Check]]:
    """A query of one row with the number of members of each audience, and what the plan says of them."""
    columns, checks = [], []
    for number, (name, (_, count)) in enumerate(audiences.items()):
        columns.append(f"count(*) filter (where audience = {literal(name)}) as audience_{number}")
        checks.append(_exactly(f"audience_{number}", f"The audience {name} has the {count} members of its plan", count))
    names = f"cast([{', '.join(map(literal, audiences))}] as varchar[])"
    columns.append(f"count(*) filter (where list_contains({names}, audience) is not true) as others")
    checks.append(_exactly("others", "Every member belongs to an audience of the plan", 0))
    return {f"select {', '.join(columns)} from ({rows})": checks}


def _exactly(column: str, sentence: str, count: int) -> Check:
    return Check(
        "planned", sentence, "ExpectColumnMaxToBeBetween", {"column": column, "min_value": count, "max_value": count}
    )


def _formulas(members: Path, rows: str) -> dict[str, list[Check]]:
    """Of each text whether a spreadsheet would run it: the exporter writes it as text, this says how many there are."""
    columns, checks = [], []
    for number, name in enumerate(_text_columns(members)):
        begins = f"regexp_matches({quoted(name)}, {literal(FORMULA)})"
        if name == "phone":  # in its normal form it begins with +
            begins += f" and not regexp_matches({quoted(name)}, {literal(PLAIN_PHONE)})"
        columns.append(f"{begins} as text_{number}")
        arguments = {"column": f"text_{number}", "value_set": [False]}
        sentence = f"No {name} begins like a spreadsheet formula"
        checks.append(Check("formulas", sentence, "ExpectColumnValuesToBeInSet", arguments, "warn"))
    return {f"select {', '.join(columns)} from ({rows})": checks}


def _text_columns(members: Path) -> list[str]:
    query = f"describe from read_parquet({literal(str(members))}, hive_partitioning = false)"
    try:
        with duckdb.connect() as con:
            return [name for name, kind, *_ in con.execute(query).fetchall() if kind == "VARCHAR"]
    except duckdb.Error as error:
        kind = type(error).__name__
        raise GateStopped(f"{members}: is not a Parquet file ({kind}); nothing is sent; make the plan again.") from None
