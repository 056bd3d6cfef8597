"""A company with one source, whose files a test writes: what each test of landing begins with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import yaml

from tangga import landing, settings
from tangga.engine import parquet_list

DAY = date(2026, 3, 10)

BUSINESS = {"name": "Toko", "time_zone": "Asia/Jakarta", "currency": "IDR", "country": "ID"}


@dataclass
class Inbox:
    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "inbox"

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def settings(self, entity: str, spec: dict | None = None, **rest) -> settings.Settings:
        """`spec` is the entity's block, `rest` replaces or adds top-level blocks."""
        source = {"path": "inbox", "entities": {entity: {"path": f"{entity}.csv"} | (spec or {})}}
        config = {"business": BUSINESS, "sources": {"shop": source}} | rest
        path = self.root / "tangga.yml"
        path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        return settings.load(path, self.root / "home")

    def land(self, entity: str, content: str | bytes | None = None, spec: dict | None = None, **rest) -> Landed:
        """Land `content` as the entity's file, or what was `put` when there is none."""
        if content is not None:
            self.put(f"{entity}.csv", content)
        known = self.settings(entity, spec, **rest)
        return Landed(known, landing.land(known, "shop", entity, DAY))

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file under landing/ and rejects/, with its bytes and its time of change."""
        home = self.root / "home"
        return {
            str(path.relative_to(home)): (path.read_bytes(), path.stat().st_mtime_ns)
            for area in ("landing", "rejects")
            for path in sorted((home / area).rglob("*"))
            if path.is_file()
        }


@dataclass
class Landed:
    settings: settings.Settings
    manifest: landing.Manifest

    @property
    def path(self) -> Path:
        m = self.manifest
        return landing.folder(self.settings, m.entity, m.source, m.ds) / m.file

    @property
    def relation(self) -> str:
        return f"read_parquet({parquet_list([self.path])}, hive_partitioning=false)"

    def rows(self, *columns: str) -> list[tuple]:
        """The landed rows, in the order of the file; a row is a tuple of `columns`."""
        rows = duckdb.sql(f"select {', '.join(columns)} from {self.relation}").fetchall()
        assert len(rows) == self.manifest.rows
        return rows

    def column(self, name: str) -> list:
        return [value for (value,) in self.rows(name)]

    @property
    def rejects(self) -> list[tuple[str, int, str]]:
        """(file, line, reason) of every reject."""
        m = self.manifest
        path = landing.folder(self.settings, m.entity, m.source, m.ds, "rejects") / "rejects.jsonl"
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert len(found) == m.rejected
        return [(reject["file"], reject["line"], reject["reason"]) for reject in found]

    @property
    def faults(self) -> list[tuple[int, str]]:
        """(line, reason) of every reject."""
        return [(line, reason) for _, line, reason in self.rejects]
