"""Partitions: whole or not there, the same bytes for the same data, built on only when let in."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest

from tangga import files, landing
from tangga.contracts import CONTRACTS
from tangga.landing import extract
from tests.unit.inbox import DAY, Landed
from tests.unit.killing import killed_at_change

HEAD = "contact_id,updated_at,first_name\n"
GOOD = HEAD + "1,2026-03-01T10:00:00Z,Ani\n2,2026-03-02T10:00:00Z,Budi\nbroken\n"


def days(count: int) -> list[date]:
    return [DAY + timedelta(days=number) for number in range(count)]


def test_manifest_tells_what_is_there(inbox):
    result = inbox.land("contacts", GOOD)
    manifest = result.manifest
    assert replace(manifest, columns={}, sha256="", file="") == landing.Manifest(
        entity="contacts", source="shop", ds="2026-03-10", load="snapshot", file="", rows=2, rejected=1,
        watermark="2026-03-02T10:00:00",
    )  # fmt: skip
    assert manifest.columns == extract.landed_types(CONTRACTS["contacts"])
    assert files.sha256(result.path) == manifest.sha256
    assert manifest.file == f"{manifest.sha256[:16]}.parquet"
    assert landing.read_manifest(result.path.parent) == manifest
    assert landing.manifests(result.settings, DAY) == [manifest]
    assert landing.manifests(result.settings, DAY + timedelta(days=1)) == []
    assert result.rows("namespace", "_source", "_ds")[0] == ("shop", "shop", DAY)


def test_killed_at_any_change_of_a_file_it_is_whole_or_as_it_was(inbox):
    before = inbox.land("contacts", GOOD)
    home, kept = before.settings.home, inbox.root / "kept"
    shutil.copytree(home, kept)
    inbox.put("contacts.csv", GOOD + "3,2026-03-03T10:00:00Z,Citra\n")
    land = lambda: landing.land(before.settings, "shop", "contacts", DAY)  # noqa: E731
    rows, clean = [], None
    for number in itertools.count(1):
        shutil.rmtree(home)
        shutil.copytree(kept, home)
        was_killed = killed_at_change(land, number)
        known = landing.read_manifest(landing.folder(before.settings, "contacts", "shop", DAY))
        found = Landed(before.settings, known)
        assert files.sha256(found.path) == known.sha256
        rows.append(len(found.rows("contact_id")))
        land()
        again = {path: content for path, (content, _) in inbox.tree().items()}
        assert again == (clean := clean or again) and not [path for path in again if ".part" in path]
        if not was_killed:
            break
    assert set(rows) == {2, 3} and rows == sorted(rows) and len(rows) > 5


def test_reject_share_is_of_all_rows_read(inbox):
    repeated = GOOD + GOOD.removeprefix(HEAD).replace("broken\n", "")
    manifest = inbox.land("contacts", repeated).manifest
    assert (manifest.rows, manifest.repeated, manifest.rejected) == (2, 2, 1)
    assert manifest.reject_share == 0.2
    assert replace(manifest, rows=0, repeated=0, rejected=0).reject_share == 0


@pytest.mark.parametrize("entity", CONTRACTS)
def test_every_contract_lands_with_its_types(inbox, entity):
    contract = CONTRACTS[entity]
    at = {"instant": "2026-03-01", "money": "1", "quantity": "1", "integer": "1", "email": "a@example.com"}
    values = [column.allowed[0] if column.allowed else at.get(column.type, "1990-01-01") for column in contract.columns]
    row = dict(zip(contract.column_names, values, strict=True)) | {"currency": "IDR"}
    result = inbox.land(entity, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    assert result.manifest.ignored_columns == ["currency"] * (entity != "orders")
    assert (result.manifest.rows, result.rejects) == (1, [])
    assert result.manifest.columns == extract.landed_types(contract)
    stored = duckdb.sql(f"describe select * from {result.relation}").fetchall()
    assert {name: kind for name, kind, *_ in stored} == extract.landed_types(contract)


def test_rerun_changes_no_byte_and_no_time(inbox):
    inbox.land("contacts", GOOD)
    before = inbox.tree()
    assert len(before) == 3
    inbox.land("contacts", GOOD)
    assert inbox.tree() == before


def test_rejects_without_lineage_are_in_one_order(inbox):
    lines = "".join(f"{n},soon,name {n * 7919 % 1000}\n" for n in range(3000))
    query = "select contact_id, updated_at, first_name from file"
    inbox.land("contacts", HEAD + lines, {"query": query})
    before = inbox.tree()
    inbox.land("contacts", HEAD + lines, {"query": query + " order by random()"})
    assert inbox.tree() == before


def test_rows_are_in_one_order_however_they_come(inbox):
    lines = [f"{n % 500},2026-03-01T10:00:00Z,name {n}" for n in range(3000)]
    query = "select contact_id, updated_at, first_name from file order by "
    first = inbox.land("contacts", HEAD + "\n".join(lines), {"query": query + "1"}).manifest
    second = inbox.land("contacts", HEAD + "\n".join(lines), {"query": query + "random()"}).manifest
    assert (first.superseded, first.sha256) == (2500, second.sha256)


def test_changed_data_replace_exactly_their_partition(inbox):
    old = inbox.land("contacts", GOOD)
    landing.land(old.settings, "shop", "contacts", DAY + timedelta(days=1))
    other = {name: content for name, content in inbox.tree().items() if "ds=2026-03-11" in name}
    new = inbox.land("contacts", HEAD + "9,2026-03-01,Eka\n")
    assert {name: content for name, content in inbox.tree().items() if "ds=2026-03-11" in name} == other
    names = [path.name for path in sorted(new.path.parent.iterdir())]
    assert names == sorted([new.manifest.file, "manifest.json"])
    assert not old.path.exists()
    assert new.rejects == []


def test_leftovers_of_a_killed_run_go_with_the_next(inbox):
    """Killed while copying, between the data and the manifest, and while the manifest was written."""
    clean = inbox.land("contacts", GOOD)
    before = inbox.tree()
    folder, rejects = clean.path.parent, inbox.root / "home/rejects/contacts/source=shop/ds=2026-03-10"
    (folder / ".part.parquet").write_bytes(b"half")
    (folder / "0123456789abcdef.parquet").write_bytes(b"never in a manifest")
    (folder / ".manifest.json.part").write_text("{")
    (rejects / ".rejects.jsonl.part").write_text("{")
    landing.record_verdict(clean.settings, clean.manifest, "pass", [])
    assert landing.partitions(clean.settings, "contacts", DAY) == [clean.path]
    (folder / "gate.json").unlink()
    inbox.land("contacts", GOOD)
    assert inbox.tree() == before


def test_first_run_killed_before_its_manifest_is_not_seen(inbox):
    clean = inbox.land("contacts", GOOD)
    (clean.path.parent / "manifest.json").unlink()
    assert landing.manifests(clean.settings, DAY) == []
    assert landing.partitions(clean.settings, "contacts", DAY) == []
    assert not landing.is_accepted(clean.path.parent)


@pytest.mark.parametrize("step", ["sha256", "replace", "write_atomically"])
def test_crash_at_any_step_leaves_the_partition_before(inbox, monkeypatch, step):
    old = inbox.land("contacts", GOOD)
    landing.record_verdict(old.settings, old.manifest, "pass", [])

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(landing.files, step, crash)
        inbox.land("contacts", HEAD + "9,2026-03-01,Eka\n")
    assert landing.manifests(old.settings, DAY) == [old.manifest]
    assert landing.partitions(old.settings, "contacts", DAY) == [old.path]
    assert files.sha256(old.path) == old.manifest.sha256
    new = inbox.land("contacts", HEAD + "9,2026-03-01,Eka\n")
    assert new.column("contact_id") == ["9"]
    assert sorted(path.name for path in new.path.parent.iterdir()) == sorted(
        [new.manifest.file, "manifest.json", "gate.json"]
    )
    assert landing.partitions(old.settings, "contacts", DAY) == []


# ---- what is built on


def land_days(inbox, spec: dict, verdicts: list[str | None]) -> tuple:
    """Land a day for each verdict; gives the settings and the files."""
    landed = []
    for number, day in enumerate(days(len(verdicts))):
        inbox.put(f"contacts-{day}.csv", HEAD + f"{number},2026-03-01,Ani\n")
    known = inbox.settings("contacts", {"path": "contacts-{ds}.csv"} | spec)
    for day, verdict in zip(days(len(verdicts)), verdicts, strict=True):
        manifest = landing.land(known, "shop", "contacts", day)
        landed.append(landing.folder(known, "contacts", "shop", day) / manifest.file)
        if verdict:
            landing.record_verdict(known, manifest, verdict, ["why"])
    return known, landed


def test_snapshots_are_the_newest_that_was_let_in(inbox):
    known, landed = land_days(inbox, {}, ["pass", "warn", "stop", None])
    expected = [[], [landed[0]], [landed[1]], [landed[1]], [landed[1]]]
    asked = [DAY - timedelta(days=1), *days(4)]
    assert [landing.partitions(known, "contacts", day) for day in asked] == expected


def test_daily_partitions_are_all_that_were_let_in(inbox):
    known, landed = land_days(inbox, {"load": "daily"}, ["pass", "stop", "warn", None, "pass"])
    found = [landing.partitions(known, "contacts", day) for day in days(5)]
    assert [[landed.index(path) for path in paths] for paths in found] == [[0], [0], [0, 2], [0, 2], [0, 2, 4]]


@pytest.mark.parametrize(
    ("load", "verdicts", "expected"),
    [
        ("snapshot", ["pass", "pass"], ["contacts"]),
        ("daily", ["pass", "stop"], ["contacts"]),
        ("daily", ["pass", "pass"], []),
        ("snapshot", ["stop"], []),
    ],
)
def test_keys_of_one_accepted_partition_are_unrepeated(inbox, load, verdicts, expected):
    known, _ = land_days(inbox, {"load": load}, verdicts)
    assert landing.unrepeated(known, days(len(verdicts))[-1]) == expected


def test_a_key_twice_in_a_partition_is_repeated(inbox):
    result = inbox.land("contacts", GOOD + "2,2026-03-03T10:00:00Z,Budi\n")
    landing.record_verdict(result.settings, result.manifest, "pass", [])
    assert landing.unrepeated(result.settings, DAY) == []


@pytest.mark.parametrize(("namespace", "expected"), [("web", []), ("till", ["contacts"])])
def test_sources_of_one_namespace_may_repeat_each_other(inbox, namespace, expected):
    shops = {name: {"path": "inbox", "entities": {"contacts": {"path": f"{name}.csv"}}} for name in ("web", "till")}
    shops["till"]["namespace"] = namespace
    for name in shops:
        inbox.put(f"{name}.csv", GOOD)
    known = inbox.settings("contacts", sources=shops)
    for name in shops:
        landing.record_verdict(known, landing.land(known, name, "contacts", DAY), "pass", [])
    assert landing.unrepeated(known, DAY) == expected


def test_verdict_is_on_the_bytes_that_were_judged(inbox):
    known, landed = land_days(inbox, {}, ["pass", "pass"])
    inbox.put(f"contacts-{days(2)[1]}.csv", HEAD + "7,2026-03-01,Eka\n")
    manifest = landing.land(known, "shop", "contacts", days(2)[1])
    assert landing.partitions(known, "contacts", days(2)[1]) == [landed[0]]
    landing.record_verdict(known, manifest, "pass", [])
    assert [path.name for path in landing.partitions(known, "contacts", days(2)[1])] == [manifest.file]


def test_verdict_is_kept_with_its_reasons_for_its_owner(inbox):
    known, landed = land_days(inbox, {}, ["stop"])
    path = landed[0].parent / "gate.json"
    said = json.loads(path.read_text())
    assert said == {"verdict": "stop", "sha256": files.sha256(landed[0]), "failures": ["why"]}
    assert path.stat().st_mode & 0o777 == 0o600


def test_views_have_every_entity(inbox):
    known, _ = land_days(inbox, {"load": "daily"}, ["pass", "pass", None])
    con = duckdb.connect()
    for _ in range(2):
        landing.create_views(con, known, days(3)[2])
        for entity, contract in CONTRACTS.items():
            described = con.execute(f"describe landing.{entity}").fetchall()
            assert {name: kind for name, kind, *_ in described} == extract.landed_types(contract)
            count = con.execute(f"select count(*) from landing.{entity}").fetchone()[0]
            assert count == (2 if entity == "contacts" else 0)


def test_home_may_be_called_anything(inbox):
    inbox.root /= "o'brien [1] *"
    result = inbox.land("contacts", GOOD)
    landing.record_verdict(result.settings, result.manifest, "pass", [])
    con = duckdb.connect()
    landing.create_views(con, result.settings, DAY)
    assert con.execute("select count(*) from landing.contacts").fetchone() == (2,)


def test_two_sources_of_one_entity_stay_apart(inbox):
    shops = {name: {"path": "inbox", "entities": {"contacts": {"path": f"{name}.csv"}}} for name in ("web", "till")}
    shops["till"]["namespace"] = "web"
    for name in shops:
        inbox.put(f"{name}.csv", GOOD)
    known = inbox.settings("contacts", sources=shops)
    for name in shops:
        landing.record_verdict(known, landing.land(known, name, "contacts", DAY), "pass", [])
    con = duckdb.connect()
    landing.create_views(con, known, DAY)
    rows = con.execute("select namespace, _source, count(*) from landing.contacts group by all order by all").fetchall()
    assert rows == [("web", "till", 2), ("web", "web", 2)]
