"""What a change of rules would do: one day built twice, by the rules before and after, and who moves where.

Both builds read the same landing and the same customer ids, so that whatever differs is the rules' doing.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from tangga.engine import literal
from tangga.settings import REPOSITORY, Settings

EXAMPLES = 10

_BUILD = """
import sys
from datetime import date
from tangga import dbt, settings, warehouse

try:
    company, day = settings.load(sys.argv[1], sys.argv[2]), date.fromisoformat(sys.argv[3])
    warehouse.prepare(company, day)
    dbt.run(company, day, "build", "--quiet", "--resource-type", "seed", "--resource-type", "model")
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
"""Runs in a process of its own, on the code of either side."""

_OWN = {"warehouse", "tmp", "published", "exports", "docs", "airflow"}
"""What a build writes, or has no need of; the rest of the home is lent to it."""

_NOWHERE = "(none)"


class DiffFailed(Exception):
    """One of the two sides could not be built; the message says which, and why."""


@dataclass(frozen=True)
class Placing:
    """Where customers stand by one kind of rule: a query of (customer_id, place, why), one row a customer."""

    title: str
    table: str
    query: str


PLACINGS = (
    Placing(
        "Rungs", "customer.customer_lifecycle",
        "select customer_id, rung_name as place, reason as why from {side}.customer.customer_lifecycle",
    ),
    Placing(
        "Segments", "customer.customer_rfm",
        "select customer_id, segment as place, 'R ' || r_score || ', F ' || f_score || ', M ' || m_score as why "
        "from {side}.customer.customer_rfm",
    ),
)  # fmt: skip


def compare(settings: Settings, day: date, base: str, workspace: Path) -> Iterator[str]:
    """Build both sides and report, in Markdown, line by line. Raises `DiffFailed`.

    `base` is whatever git takes for a commit; `workspace` an empty folder that the two builds may fill.
    """
    before = build(_tree_of(base, workspace / "base"), settings, day, workspace / "before")
    after = build(REPOSITORY, settings, day, workspace / "after")
    yield f"## What the rules change, as of {day}"
    yield ""
    yield f"`{base}` against the working tree. Both sides were built from the same landing."
    yield from report(before, after)


def report(before: Path, after: Path) -> Iterator[str]:
    """Who moves between two warehouses of one day, in Markdown, line by line."""
    with duckdb.connect() as con:
        con.execute(f"attach {literal(before)} as before (read_only)")
        con.execute(f"attach {literal(after)} as after (read_only)")
        for placing in PLACINGS:
            yield from _moves(con, placing)
        yield from _audiences(con)


def build(tree: Path, settings: Settings, day: date, home: Path) -> Path:
    """Build one side by the code and the rules of a tree; returns its warehouse. Raises `DiffFailed`."""
    home.mkdir(mode=0o700)
    for part in settings.home.iterdir():
        if part.name not in _OWN:
            (home / part.name).symlink_to(part)
    config = settings.config_path
    if config.is_relative_to(REPOSITORY):
        config = tree / config.relative_to(REPOSITORY)
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(config), str(home), day.isoformat()],
        env=os.environ | {"PYTHONPATH": f"{tree / 'plugins'}{os.pathsep}{tree}"},
        cwd=tree, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise DiffFailed(f"{tree}: the day could not be built there: {done.stderr.strip()[-1000:]}")
    return home / "warehouse" / "working.duckdb"


def _tree_of(base: str, folder: Path) -> Path:
    """The files of a commit. Raises `DiffFailed`."""
    done = subprocess.run(
        ["git", "-C", str(REPOSITORY), "archive", "--end-of-options", base], capture_output=True, check=False
    )
    if done.returncode:
        raise DiffFailed(f"BASE={base}: git knows no such commit; name a branch, a tag or a commit.")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _moves(con: duckdb.DuckDBPyConnection, placing: Placing) -> Iterator[str]:
    """The matrix of one kind of rule, without those who stay, and some who move."""
    yield from ("", f"### {placing.title}", "")
    lacking = [side for side in ("before", "after") if not _has(con, side, placing.table)]
    if lacking:
        yield f"Cannot be compared: {placing.table} is not built {' nor '.join(lacking)}."
        return
    con.execute(
        f"""create or replace temp table moves as
        select customer_id, coalesce(a.place, '{_NOWHERE}') as place_before,
               coalesce(b.place, '{_NOWHERE}') as place_after, a.why as why_before, b.why as why_after
        from ({placing.query.format(side="before")}) as a
        full outer join ({placing.query.format(side="after")}) as b using (customer_id)"""
    )
    everybody, moved = con.execute(
        "select count(*), count(*) filter (place_before <> place_after) from moves"
    ).fetchone()
    yield f"{moved:,} of {everybody:,} customers move."
    if not moved:
        return
    yield from ("", "| from | to | customers | share of those who were there |", "|---|---|--:|--:|")
    for row in con.execute(
        """select * from (
            select place_before, place_after, count(*) as customers,
                   count(*) / sum(count(*)) over (partition by place_before) as share
            from moves group by place_before, place_after
        ) where place_before <> place_after order by customers desc, place_before, place_after"""
    ).fetchall():
        yield f"| {row[0]} | {row[1]} | {row[2]:,} | {row[3]:.1%} |"
    yield from ("", "| customer | from | because | to | because |", "|---|---|---|---|---|")
    for row in con.execute(
        f"""select customer_id, place_before, coalesce(why_before, ''), place_after, coalesce(why_after, '')
        from moves where place_before <> place_after order by sha256(customer_id) limit {EXAMPLES}"""
    ).fetchall():
        yield f"| {' | '.join(row)} |"


def _audiences(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Each audience whose members change: how many there were, come, go, and are."""
    yield from ("", "### Audiences", "")
    table = "audiences.audience_members"
    if not (_has(con, "before", table) and _has(con, "after", table)):
        yield f"Cannot be compared: {table} is not built on both sides."
        return
    rows = con.execute(
        f"""select coalesce(a.audience, b.audience) as audience, count(a.customer_id),
               count(*) filter (a.customer_id is null), count(*) filter (b.customer_id is null), count(b.customer_id)
        from before.{table} as a
        full outer join after.{table} as b on a.audience = b.audience and a.customer_id = b.customer_id
        group by all order by audience"""
    ).fetchall()
    changed = [row for row in rows if row[2] or row[3]]
    yield f"{len(changed)} of {len(rows)} audiences change."
    if changed:
        yield from ("", "| audience | before | come | go | after |", "|---|--:|--:|--:|--:|")
        yield from (f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |" for name, *counts in changed)


def _has(con: duckdb.DuckDBPyConnection, side: str, table: str) -> bool:
    schema, name = table.split(".")
    return bool(
        con.execute(
            "select 1 from information_schema.tables where table_catalog = ? and table_schema = ? and table_name = ?",
            [side, schema, name],
        ).fetchone()
    )
