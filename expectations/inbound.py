"""The door in: does what was landed for a day keep its contract, and is there enough of it?

The suites come from `tangga.contracts`; what landing counted on the way (rejects, emptied values, ...)
is put into a one-row query, so that it is judged by the same rules.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from expectations import gate
from expectations.gate import Check, GateResult, GateStopped, raise_if_stopped
from tangga import landing
from tangga.contracts import CONTRACTS, SURVEY_SCORES, Contract
from tangga.landing import Manifest, freshness
from tangga.landing.extract import landed_types
from tangga.landing.parsing import literal
from tangga.settings import Entity, Settings
from tangga.sources.relations import quoted

__all__ = ["GateResult", "GateStopped", "check", "raise_if_stopped"]

MAX_EMPTIED_SHARE = 0.05
MAX_INVALID_EMAIL_SHARE = 0.05
MAX_QUARANTINED_SHARE = 0.01


def check(settings: Settings, day: date) -> list[GateResult]:
    """Judge every entity of `settings.sources` on one day, in the order of the contracts.

    One result for each source and entity, named <source>.<entity>; its verdict is recorded beside the
    partition. An entity that was not landed that day is a `stop`.
    """
    landed = {(manifest.source, manifest.entity): manifest for manifest in landing.manifests(settings, day)}
    return [
        _check_partition(settings, day, source, entity, landed.get((source, entity)))
        for entity in CONTRACTS
        for source, spec in settings.sources.items()
        if entity in spec.entities
    ]


def _check_partition(settings: Settings, day: date, source: str, entity: str, manifest: Manifest | None) -> GateResult:
    folder = landing.folder(settings, entity, source, day)
    if manifest is None and freshness.is_missed(settings, source, entity, day):
        assets = _stand_in(settings, source, entity, day)
        remedy = (
            f"Land {entity} of {source} when it is back, or give it longer (sources.{source}.max_stale_days in "
            f"{settings.config_path.name}), then check again."
        )
    elif manifest is None:
        assets = {"select 0 as partitions": [_most("partitions", f"{entity} of {source} was landed on {day}", 1, 1)]}
        remedy = f"Land {entity} of {source} for {day}, then check again."
    else:
        assets = _assets(settings.sources[source].entities[entity], manifest, folder)
        assets |= _completeness(settings, source, entity, day, [manifest])
        rejects = landing.folder(settings, entity, source, day, "rejects") / "rejects.jsonl"
        remedy = (
            f"Look at {rejects.relative_to(settings.home)}, correct the source, or its mapping and limits "
            f"(sources.{source}.entities.{entity} in {settings.config_path.name}), and land the day again."
        )
    where = str(folder.relative_to(settings.home))
    result = gate.run(settings, "inbound", day, f"{source}.{entity}", assets, where=where, remedy=remedy)
    if manifest is not None:
        landing.record_verdict(settings, manifest, result.verdict, result.failures)
    return result


def _stand_in(settings: Settings, source: str, entity: str, day: date) -> dict[str, list[Check]]:
    """What is asked when a source was down: are the rows that stand in for the day's there, and fresh enough?"""
    known, most = freshness.of_entity(settings, source, entity, day), settings.sources[source].max_stale_days
    if known.last_day is None:
        return {"select 0 as partitions": [_most("partitions", f"Rows of {entity} can stand in for {day}", 1, 1)]}
    checks = [
        _most("behind", f"{source} was not down on {day} (the rows of {entity} of {known.last_day} stand in)", 0,
              severity="warning"),
        _most("behind", f"The last {entity} of {source} are at most {most} days old (max_stale_days)", most),
    ]  # fmt: skip
    return {f"select {known.days_behind} as behind": checks} | _completeness(settings, source, entity, day, [])


def _completeness(
    settings: Settings, source: str, entity: str, day: date, landed: list[Manifest]
) -> dict[str, list[Check]]:
    """Has a `daily` entity every day before this one, of which `landed` is not yet let in? What is missing is to be
    landed later."""
    if settings.sources[source].entities[entity].load != "daily":
        return {}
    known = [*landing.accepted(settings, entity, source, day - timedelta(days=1)), *landed]
    missing = [lacking for lacking in freshness.missing_days(settings, source, entity, day, known) if lacking < day]
    which = f" (backfill {freshness.named(missing)})" if missing else ""
    sentence = f"Every day of {entity} of {source} was landed and let in{which}"
    return {f"select {len(missing)} as missing_days": [_most("missing_days", sentence, 0, severity="warning")]}


def _assets(spec: Entity, manifest: Manifest, folder: Path) -> dict[str, list[Check]]:
    """The three queries of a partition: its columns, its rows, and landing's own figures."""
    contract = CONTRACTS[manifest.entity]
    # The folders are named like columns (source=, ds=): DuckDB would add them to the file's own.
    rows = f"select * from read_parquet({literal(str(folder / manifest.file))}, hive_partitioning = false)"
    columns = f"select column_name || ' ' || column_type as definition from (describe {rows})"
    definitions = [f"{name} {kind}" for name, kind in landed_types(contract).items()]
    same_columns = Check(
        "The columns and their types are exactly the contract's",
        "ExpectColumnDistinctValuesToEqualSet",
        {"column": "definition", "value_set": definitions},
    )
    return {columns: [same_columns], rows: _row_checks(contract, spec, manifest)} | _figures(spec, manifest, rows)


def _row_checks(contract: Contract, spec: Entity, manifest: Manifest) -> list[Check]:
    checks = [
        Check(f"There are at least {spec.min_rows} rows (min_rows)", "ExpectTableRowCountToBeBetween",
              {"min_value": spec.min_rows}),
        Check("There are as many rows as the manifest says", "ExpectTableRowCountToEqual", {"value": manifest.rows}),
    ]  # fmt: skip
    for name in contract.required_names:
        checks.append(Check(f"{name} is never empty", "ExpectColumnValuesToNotBeNull", {"column": name}))
    for column in contract.columns:
        if column.allowed:
            sentence = f"{column.name} is one of {', '.join(column.allowed)}"
            arguments = {"column": column.name, "value_set": list(column.allowed)}
            checks.append(Check(sentence, "ExpectColumnValuesToBeInSet", arguments))
        if column.minimum is not None or column.maximum is not None:
            limits = {"at least": column.minimum, "at most": column.maximum}
            words = " and ".join(f"{word} {limit}" for word, limit in limits.items() if limit is not None)
            arguments = {"column": column.name, "min_value": column.minimum, "max_value": column.maximum}
            checks.append(Check(f"{column.name} is {words}", "ExpectColumnValuesToBeBetween", arguments))
        if column.type == "email":
            arguments = {"column": "is_email_valid", "value_set": [True], "mostly": 1 - MAX_INVALID_EMAIL_SHARE}
            sentence = f"At most {MAX_INVALID_EMAIL_SHARE:.0%} of the addresses in {column.name} are invalid"
            checks.append(Check(sentence, "ExpectColumnValuesToBeInSet", arguments, "warning"))
    if contract.any_of:
        checks.append(_any_of(contract))
    if contract.entity == "survey_responses":
        checks += [_scores(kind, low, high) for kind, (low, high) in SURVEY_SCORES.items()]
    return checks


def _any_of(contract: Contract) -> Check:
    # A warning, and an invalid address counts as one: landing empties what it cannot read and keeps the row.
    given = [*contract.any_of, *(["is_email_valid"] if "email" in contract.any_of else [])]
    values = ", ".join(f"cast({name} as varchar)" for name in given)
    sentence = f"Every row has a value for one of {', '.join(contract.any_of)}"
    return gate.unexpected_rows(sentence, f"select 1 from {{batch}} where coalesce({values}) is null", "warning")


def _scores(kind: str, low: int, high: int) -> Check:
    query = f"select 1 from {{batch}} where kind = '{kind}' and score not between {low} and {high}"
    return gate.unexpected_rows(f"score is {low} to {high} where kind is {kind}", query, "warning")


def _figures(spec: Entity, manifest: Manifest, rows: str) -> dict[str, list[Check]]:
    """A query of one row, with a column for each of landing's figures, and what is asked of them."""
    quarantined = manifest.quarantined / max(1, manifest.rows)
    columns = {
        "reject_share": f"cast({manifest.reject_share!r} as double)",
        "superseded": str(manifest.superseded),
        "ignored_columns": str(len(manifest.ignored_columns)),
        "quarantined_share": f"cast({quarantined!r} as double)",
    }
    checks = [
        _most("reject_share", f"At most {spec.max_reject_share:.1%} of the rows were rejected (max_reject_share)",
              spec.max_reject_share),
        _most("superseded", "No row repeats a key with other content", 0, severity="warning"),
        _most("ignored_columns", "The source has no column that nothing maps", 0, severity="warning"),
        _most("quarantined_share", f"At most {MAX_QUARANTINED_SHARE:.0%} of the rows happen after the day",
              MAX_QUARANTINED_SHARE, severity="warning"),
    ]  # fmt: skip
    for name, emptied in manifest.emptied.items():
        if CONTRACTS[manifest.entity].column(name).type == "email":
            continue  # an invalid address is judged by is_email_valid
        # Of the values given, not of the rows: a column that few rows fill can be unreadable as a whole.
        columns[f"emptied_{name}"] = f"(select {emptied} / ({emptied} + count({quoted(name)})) from ({rows}))"
        sentence = f"At most {MAX_EMPTIED_SHARE:.0%} of the values given for {name} could not be read"
        checks.append(_most(f"emptied_{name}", sentence, MAX_EMPTIED_SHARE, severity="warning"))
    return {"select " + ", ".join(f"{value} as {name}" for name, value in columns.items()): checks}


def _most(
    figure: str, sentence: str, most: float, least: float | None = None, severity: gate.Severity = "critical"
) -> Check:
    arguments = {"column": figure, "min_value": least, "max_value": most}
    return Check(sentence, "ExpectColumnMaxToBeBetween", arguments, severity)
