"""The door in: does what was landed for a day keep its contract, and is there enough of it?

The suites come from `tangga.contracts`; what landing counted on the way (rejects, emptied values, ...), and
how it compares with the days before, is put into a one-row query, so that it is judged by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from expectations import completeness, contract_checks, gate, history
from expectations.checks import Check, GateResult, GateStopped, raise_if_stopped
from expectations.history import History, percent
from tangga import landing, storage
from tangga.contracts import CONTRACTS, Contract
from tangga.engine import literal
from tangga.landing import Manifest, freshness
from tangga.landing.extract import landed_types
from tangga.settings import Entity, Settings
from tangga.settings.gates import CHECKS, Severity
from tangga.sources.relations import quoted
from tangga.storage import Stored

__all__ = ["GateResult", "GateStopped", "check", "raise_if_stopped"]


Figures = list[tuple[Check, str]]
"""Checks of single numbers, each with the SQL of its own."""


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
    where = str(landing.folder(settings, entity, source, day).relative_to(storage.root(settings)))
    name = f"{source}.{entity}"
    spec = settings.sources[source].entities[entity]
    if manifest is None:
        figures, remedy = _without_rows(settings, source, entity, day)
        return gate.run(settings, "inbound", day, name, _one_row(spec, figures), where=where, remedy=remedy)
    before = history.read(settings, spec, manifest)
    try:
        assets = _assets(settings, spec, manifest, before)
    except FileNotFoundError:  # it has vanished from the store
        gone = Check("complete", f"The file of {entity} of {source} is there", "ExpectColumnMaxToBeBetween",
                     {"column": "files", "min_value": 1})  # fmt: skip
        assets = _one_row(spec, [(gone, "0")])
    figures = _kept(manifest) | history.kept(before)
    remedy = _remedy(settings, manifest)
    result = gate.run(settings, "inbound", day, name, assets, where=where, remedy=remedy, landed=figures)
    landing.record_verdict(settings, manifest, result.verdict, result.failures)
    return result


def _without_rows(settings: Settings, source: str, entity: str, day: date) -> tuple[Figures, str]:
    """What is asked of a day that was not landed, and what to do when it may not be passed over."""
    if freshness.is_missed(settings, source, entity, day):
        remedy = (
            f"Land {entity} of {source} when it is back, or give it longer (sources.{source}.max_stale_days in "
            f"{settings.config_path.name}), then check again."
        )
        return completeness.stand_in(settings, source, entity, day), remedy
    landed = Check(
        "landed", f"{entity} of {source} was landed on {day}", "ExpectColumnMaxToBeBetween",
        {"column": "partitions", "min_value": 1, "max_value": 1},
    )  # fmt: skip
    return [(landed, "0")], f"Land {entity} of {source} for {day}, then check again."


def _one_row(spec: Entity, figures: Figures, **severities: Severity) -> dict[str, list[Check]]:
    """A query of one row with a column for each figure, and what is asked of it as severely as the entity wants it."""
    columns = ", ".join(f"{sql} as {check.arguments['column']}" for check, sql in figures)
    wanted = _severe([check for check, _ in figures], _severities(spec) | severities)
    return {f"select {columns}": wanted} if wanted else {}


def _severities(spec: Entity) -> dict[str, Severity]:
    return {name: known.severity for name, known in CHECKS.items()} | spec.gate


def _remedy(settings: Settings, manifest: Manifest) -> str:
    rejects = _rejects(settings, manifest).relative_to(storage.root(settings))
    block = f"sources.{manifest.source}.entities.{manifest.entity} in {settings.config_path.name}"
    return f"Look at {rejects}, correct the source, or its mapping and limits ({block}), and land the day again."


def _kept(manifest: Manifest) -> dict[str, Any]:
    """Landing's figures as a result keeps them. Names of columns that nobody mapped are the source's own, and may
    be anything: only how many there are."""
    counts = ("load", "rows", "rejected", "repeated", "superseded", "quarantined", "watermark", "emptied")
    return {name: getattr(manifest, name) for name in counts} | {"ignored_columns": len(manifest.ignored_columns)}


def _assets(settings: Settings, spec: Entity, manifest: Manifest, before: History) -> dict[str, list[Check]]:
    """The three queries of a partition: its columns, its rows, and landing's own figures."""
    contract = CONTRACTS[manifest.entity]
    file = landing.here(settings, manifest)
    # The folders are named like columns (source=, ds=): DuckDB would add them to the file's own.
    rows = f"select * from read_parquet({literal(file)}, hive_partitioning = false)"
    columns = f"select column_name || ' ' || column_type as definition from (describe {rows})"
    definitions = [f"{name} {kind}" for name, kind in landed_types(contract).items()]
    same_columns = Check(
        "columns",
        "The columns and their types are exactly the contract's",
        "ExpectColumnDistinctValuesToEqualSet",
        {"column": "definition", "value_set": definitions},
    )
    figures = _figures(settings, spec, manifest, rows) + history.checks(settings, spec, manifest, before)
    figures += completeness.missing_days(settings, manifest.source, manifest.entity, manifest)
    is_small = history.is_small(settings, spec, manifest, before) and _severities(spec)["volume"] == "stop"
    checks = _row_counts(spec, manifest) + contract_checks.of(contract, rows, settings.rules.gate)
    assets = {columns: _severe([same_columns], _severities(spec)), rows: _severe(checks, _severities(spec))}
    return assets | _one_row(spec, figures, **({"volume": "warn"} if is_small else {}))


def _severe(checks: list[Check], severities: Mapping[str, str]) -> list[Check]:
    return [replace(check, severity=severities[check.name]) for check in checks if severities[check.name] != "off"]


def _row_counts(spec: Entity, manifest: Manifest) -> list[Check]:
    at_least, kind = {"min_value": spec.min_rows}, "ExpectTableRowCountToBeBetween"
    said = {"value": manifest.rows}
    return [
        Check("row_count", f"There are at least {spec.min_rows} rows (min_rows)", kind, at_least),
        Check("complete", "There are as many rows as the manifest says", "ExpectTableRowCountToEqual", said),
    ]


def _figures(settings: Settings, spec: Entity, manifest: Manifest, rows: str) -> Figures:
    """What is asked of landing's figures: each check, and the SQL of its figure."""
    rules, contract = settings.rules.gate, CONTRACTS[manifest.entity]
    quarantined = manifest.quarantined / max(1, manifest.rows)
    rejected = f"At most {percent(spec.max_reject_share)} of the rows were rejected (max_reject_share)"
    later = f"At most {percent(rules.max_quarantined_share)} of the rows happen after the day"
    unmapped = _most("new_columns", "The source has no column that nothing maps", 0)
    figures = [
        (_most("rejects", rejected, spec.max_reject_share, places=_rejected(settings, manifest)),
         f"cast({manifest.reject_share!r} as double)"),
        (_most("repeated_keys", "No row repeats a key with other content", 0, places=_repeated(contract, rows)),
         str(manifest.superseded)),
        (unmapped, str(len(manifest.ignored_columns))),
        (_most("later_rows", later, rules.max_quarantined_share, places=_later(settings, manifest, contract, rows)),
         f"cast({quarantined!r} as double)"),
    ]  # fmt: skip
    for name, emptied in manifest.emptied.items():
        if contract.column(name).type == "email":
            continue  # an invalid address is judged by is_email_valid
        sentence = f"At most {percent(rules.max_emptied_share)} of the values given for {name} could not be read"
        # Of the values given, not of the rows: a column that few rows fill can be unreadable as a whole.
        share = f"(select {emptied} / ({emptied} + count({quoted(name)})) from ({rows}))"
        figures.append((_most("emptied", sentence, rules.max_emptied_share, column=f"emptied_{name}"), share))
    return figures


def _most(name: str, sentence: str, most: float, *, column: str = "", places: str = "") -> Check:
    arguments = {"column": column or name, "max_value": most}
    return Check(name, sentence, "ExpectColumnMaxToBeBetween", arguments, places=places)


def _rejects(settings: Settings, manifest: Manifest) -> Path | Stored:
    return landing.folder(settings, manifest.entity, manifest.source, manifest.ds, "rejects") / "rejects.jsonl"


def _rejected(settings: Settings, manifest: Manifest) -> str:
    file, columns = _rejects(settings, manifest), "{file: 'VARCHAR', line: 'BIGINT'}"
    if not isinstance(file, Path):
        return ""  # they are in a store, which DuckDB does not read
    return f"select file as _file, line as _line from read_json({literal(file)}, format = 'nd', columns = {columns})"


def _repeated(contract: Contract, rows: str) -> str:
    key = ", ".join(map(quoted, contract.key))
    return f"select _file, _line from ({rows}) qualify count(*) over (partition by {key}) > 1"


def _later(settings: Settings, manifest: Manifest, contract: Contract, rows: str) -> str:
    if contract.occurred is None:
        return ""
    end = settings.ends(date.fromisoformat(manifest.ds)).replace(tzinfo=None)
    return f"select _file, _line from ({rows}) where {quoted(contract.occurred)} >= timestamp '{end}'"
