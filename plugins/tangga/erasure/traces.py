"""Where nobody should ever be: Airflow's database and logs, pages, dbt's leftovers. Looked through all the same, and an
address or a number that is found there is painted over."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing, nullcontext
from pathlib import Path

from tangga.erasure.removed import Removed
from tangga.settings import Settings

PAINT = "(erased)"
FOLDERS = ("airflow/logs", "gates", "docs", "warehouse/dbt")
_WAIT_SECONDS = 60


def texts(settings: Settings, words: Iterable[str]) -> Removed:
    """Logs and pages: each line that had one of the words counts."""
    spelled, removed = _spellings(words), Removed()
    for folder in FOLDERS:
        for path in sorted((settings.home / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                removed += _paint(path, spelled)
    return removed


def _paint(path: Path, spelled: list[str]) -> Removed:
    """In place and in the same length, as whoever writes a log has it open."""
    content, lines = path.read_bytes(), set()
    with path.open("r+b") if any(word.encode() in content for word in spelled) else nullcontext() as handle:
        for word in (word.encode() for word in spelled):
            at = content.find(word)
            while at >= 0:
                handle.seek(at)
                handle.write(b"*" * len(word))
                lines.add(content.count(b"\n", 0, at))
                at = content.find(word, at + len(word))
    return Removed(1 if lines else 0, len(lines))


def airflow_database(settings: Settings, words: Iterable[str]) -> Removed:
    """Airflow's own database in the home: parameters of runs, audit log, results of tasks. A database elsewhere is its
    keeper's (`certificate.NOT_COVERED`)."""
    file, spelled, rows = settings.home / "airflow" / "airflow.db", _spellings(words), 0
    if not file.exists() or not spelled:
        return Removed()
    with closing(sqlite3.connect(file, timeout=_WAIT_SECONDS, isolation_level=None)) as session:
        session.execute("pragma secure_delete = on")  # or what was there stays readable in the file
        session.execute("begin immediate")
        for table, column in _columns(session):
            has = " or ".join(f"instr({column}, ?)" for _ in spelled)
            if session.execute(
                f"select 1 from {table} where typeof({column}) = 'text' and ({has})", spelled
            ).fetchone():
                painted = column
                for _ in spelled:
                    painted = f"replace({painted}, ?, '{PAINT}')"
                query = f"update {table} set {column} = {painted} where typeof({column}) = 'text' and ({has})"
                rows += session.execute(query, [*spelled, *spelled]).rowcount
        session.execute("commit")
        session.execute("pragma wal_checkpoint(truncate)")
    return Removed(1 if rows else 0, rows)


def _columns(session: sqlite3.Connection) -> list[tuple[str, str]]:
    found = session.execute(
        "select m.name, c.name from sqlite_master as m, pragma_table_info(m.name) as c "
        "where m.type = 'table' and m.name not like 'sqlite_%' order by 1, 2"
    ).fetchall()
    return [(f'"{table}"', f'"{column}"') for table, column in found]


def _spellings(words: Iterable[str]) -> list[str]:
    """The words, and how JSON writes them; the longest first."""
    spelled = {spelling for word in words if word for spelling in (word, json.dumps(word)[1:-1])}
    return sorted(spelled, key=lambda word: (-len(word), word))
