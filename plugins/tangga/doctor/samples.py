"""The sources: whether they can be reached, and what would become of their first rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from tangga import engine
from tangga.contracts import CONTRACTS
from tangga.doctor.finding import Finding, Level
from tangga.landing import extract
from tangga.settings import Settings
from tangga.sources import connections
from tangga.sources.records import SourceDown, SourceRefused
from tangga.sources.relations import Reading, printable

PLACES = 3
"""So many places are named for each reason."""


def source(settings: Settings, name: str, day: date, workspace: Path, rows: int) -> Iterator[Finding]:
    """Findings about one source: its connection, and each of its entities."""
    spec = settings.sources[name]
    connection = getattr(spec, "connection", None)
    if connection is not None:
        try:
            found = connections.resolve(connection)
        except SourceRefused as error:
            yield Finding(Level.FAULT, name, str(error))
            return
        yield Finding(Level.OK, name, f"connection '{connection}' of type {found.kind}")
    for entity in spec.entities:
        subject = f"{name} {entity}"
        try:
            with engine.scratch(settings, workspace) as con:
                yield _entity(con, Reading(settings, name, entity, day, sample=rows), subject)
        except SourceDown as error:
            level = Level.WARNING if spec.when_down == "use_last" else Level.FAULT
            yield Finding(level, subject, str(error))
        except SourceRefused as error:
            yield Finding(Level.FAULT, subject, str(error))
        except Exception as error:  # the other sources are still to be looked at, and its text may hold values
            kind = type(error).__name__
            yield Finding(Level.FAULT, subject, f"cannot be read, and Tangga does not know why ({kind}); report this")


def _entity(con: duckdb.DuckDBPyConnection, reading: Reading, subject: str) -> Finding:
    found = extract.extract(con, reading)
    counts, spec = found.counts, reading.spec
    read = counts["rows"] + counts["repeated"] + counts["rejected"]
    faults, warnings, details = [], [], _reasons(found.rejects)
    if counts["rejected"] / max(1, read) > spec.max_reject_share:
        faults.append(
            f"{counts['rejected']:,} would be rejected, more than max_reject_share ({spec.max_reject_share:g}) allows; "
            "correct the source or its mapping"
        )
    elif counts["rejected"]:
        warnings.append(f"{counts['rejected']:,} would be rejected")
    if read < reading.sample and counts["rows"] < spec.min_rows:
        faults.append(f"there are fewer than min_rows ({spec.min_rows}); ask its sender, or correct 'min_rows'")
    if counts["emptied"]:
        columns = ", ".join(f"{column} ({count:,})" for column, count in counts["emptied"].items())
        warnings.append(f"values that cannot be read would be left out of {columns}")
    if counts["quarantined"]:
        warnings.append(f"later than {reading.day}: {counts['quarantined']:,}; are time zones and date_formats right?")
    if counts["ignored_columns"]:
        warnings.append(f"nothing maps {printable(counts['ignored_columns'])}")
    empty = _empty_columns(con, reading)
    if empty:
        details.append(f"stay empty: {', '.join(empty)}")
    level = Level.FAULT if faults else Level.WARNING if warnings else Level.OK
    return Finding(level, subject, "; ".join([f"{read:,} rows read", *faults, *warnings]), tuple(details))


def _reasons(rejects: list[dict]) -> list[str]:
    """Every reason with how often it was met, and the first places of it."""
    places = defaultdict(list)
    for reject in rejects:
        for reason in reject["reason"].split("; "):
            places[reason].append(f"{reject['file']}:{reject['line']}")
    ordered = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        f"{len(found):,} x {reason} ({', '.join(found[:PLACES])}{', …' if len(found) > PLACES else ''})"
        for reason, found in ordered
    ]


def _empty_columns(con: duckdb.DuckDBPyConnection, reading: Reading) -> list[str]:
    names = CONTRACTS[reading.entity].column_names
    counts = con.execute(f"select count(*), {', '.join(f'count({name})' for name in names)} from _landed").fetchone()
    return [name for name, count in zip(names, counts[1:], strict=True) if counts[0] and not count]
