"""The demo company from files on this machine, and from an object store that holds the landing as well: the same."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from tangga import demo
from tangga.settings import REPOSITORY, Demo
from tests.unit.object_store import KEY, SECRET

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2500)]

DAY = date(2026, 3, 10)


def company(root: Path, inbox: str, **rest) -> Path:
    """The repository's own configuration, reading from `inbox`; `rest` replaces or adds top-level blocks."""
    config = yaml.safe_load((REPOSITORY / "tangga.yml").read_text(encoding="utf-8"))
    del config["demo"]
    tables = {name: path.replace("$TANGGA_HOME", str(root)) for name, path in config["reference"].items()}
    config["reference"] = tables
    for source in config["sources"].values():
        source["path"] = source["path"].replace("$TANGGA_HOME/inbox", inbox)
        source |= {"connection": "lake"} if "://" in inbox else {}
    path = root / f"{'store' if rest else 'local'}.yml"
    path.write_text(yaml.safe_dump(config | rest), encoding="utf-8")
    return path


def run(root: Path, config: Path, connection: str) -> tuple[Path, str]:
    """Run the pipeline; gives its home and all that it said."""
    home = root / config.stem
    done = subprocess.run(
        [sys.executable, "-m", "tangga.local.run", "--as-of", str(DAY), "--config", config, "--home", home],
        cwd=root,
        env=os.environ
        | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}", "AIRFLOW_CONN_LAKE": connection},
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    log = (home / "airflow" / "logs" / "run.log").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stdout + log[-3000:]
    return home, done.stdout + done.stderr + log


def tables(home: Path, name: str) -> dict[str, list[tuple]]:
    with duckdb.connect((home / "published" / f"{name}.duckdb").resolve(), read_only=True) as con:
        found = con.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()
        return {table: con.execute(f"select * from {table} order by all").fetchall() for (table,) in sorted(found)}


def test_inbox_and_landing_in_a_store_publish_the_same_warehouse(bucket, tmp_path):
    rows = demo.write_inbox(tmp_path / "inbox", tmp_path / "truth", DAY, Demo(scale=0.05))
    assert sum(rows.values()) > 1000
    for path in sorted((tmp_path / "inbox").rglob("*")):
        if path.is_file():
            bucket.put(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    here, _ = run(tmp_path, company(tmp_path, str(tmp_path / "inbox")), "")
    stored = company(
        tmp_path, f"s3://{bucket.name}/inbox", storage={"path": f"s3://{bucket.name}/tangga", "connection": "lake"}
    )
    there, said = run(tmp_path, stored, bucket.store.connection())

    for name in ("crm", "private"):
        expected, found = tables(here, name), tables(there, name)
        assert len(expected) > 20
        assert set(found) == set(expected)
        assert {table for table in expected if found[table] != expected[table]} == set()
    assert (there / "published/current").resolve().name == (here / "published/current").resolve().name
    assert not (there / "landing").exists()
    assert not (there / "rejects").exists()
    landed = {key: content for key, (content, *_) in bucket.tree().items() if key.startswith("tangga/")}
    local = {
        f"tangga/{path.relative_to(here).as_posix()}": path.read_bytes()
        for area in ("landing", "rejects")
        for path in (here / area).rglob("*")
        if path.is_file()
    }
    assert landed == local
    assert f"s3://{bucket.name}/tangga/rejects/" in said
    for secret in (SECRET, KEY, "@example.com", "X-Amz-Signature"):
        assert secret not in said
