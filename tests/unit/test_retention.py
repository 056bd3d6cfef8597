"""What is old goes on its day, whatever a run still reads stays, and a build afterwards sees what it saw before."""

import json
import os
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tangga import files, identities, landing, ledger, publish, retention, settings, storage
from tangga.landing import freshness
from tangga.publish import Version
from tangga.sources.records import SourceRefused
from tests.unit.test_ledger import deliver, people

TODAY = date(2026, 3, 31)
DAYS = 10
LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""A moment at which everything was written long ago."""

CSV = "order_id,contact_id,ordered_at,status,currency,total_amount\n{},c1,2026-03-01 10:00:00,paid,IDR,10000\n"


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def home(inbox):
    """`home(*areas)`: settings that keep these areas for ten days, with `TODAY` published."""

    def home(*areas, load="snapshot", **rest):
        spec = {"load": load, "path": "{ds}.csv", "delimiter": ","}
        found = inbox.settings("orders", spec, retention=dict.fromkeys(areas, DAYS), **rest)
        if publish.current(found) is None:
            version(found, TODAY)
            (publish.folder(found) / "current").symlink_to(Path("versions") / name(TODAY))
        return found

    return home


def name(day, digest="a" * 12):
    return f"{day}-{digest}"


def version(found, day, digest="a" * 12):
    folder = publish.folder(found) / "versions" / name(day, digest)
    files.write_atomically(folder / "manifest.json", json.dumps(asdict(Version(folder.name, str(day), "c", {}))))
    (folder / "crm.duckdb").write_text("rows")
    return {folder / "manifest.json", folder / "crm.duckdb"}


def land(found, day, verdict="pass"):
    """Returns the file of the rows."""
    (found.config_path.parent / "inbox").mkdir(exist_ok=True)
    (found.config_path.parent / "inbox" / f"{day}.csv").write_text(CSV.format(f"o-{day}") + "\n")
    manifest = landing.land(found, "shop", "orders", day)
    if verdict:
        landing.record_verdict(found, manifest, verdict, [])
    return {landing.folder(found, "orders", "shop", day) / manifest.file}


def reject(found, day):
    file = landing.folder(found, "orders", "shop", day, "rejects") / "rejects.jsonl"
    files.write_atomically(file, "{}\n")
    return {file}


def plan(found, day, published=None, digest="b" * 12):
    folder = found.home / "state" / "plans" / name(day, digest)
    told = {"files": {"hash": f"hash of {folder.name}"}, "tool": {"hash": ""}}
    said = {"hash": folder.name, "published_version": published or name(day), "destinations": told}
    files.write_atomically(folder / "plan.json", json.dumps(said))
    files.write_atomically(folder / "members.parquet", "rows")
    return {folder / "plan.json", folder / "members.parquet"}


def judge(found, day):
    file = found.home / "gates" / "inbound" / str(day) / "shop.orders.json"
    files.write_atomically(file, "{}")
    return {file}


def page(found, day):
    file = found.gate_pages.with_name(f"{day}.html")
    files.write_atomically(file, "<html>")
    files.write_atomically(found.gate_pages, "<html>")
    return {file}


def registry(found, day):
    file = identities.folder(found, day) / "manifest.json"
    files.write_atomically(file, "{}")
    return {file}


def empty_list(found, day):
    folder, listed = found.home / "exports" / "files", f"gone_{day:%m_%d}"
    said = files.read_json(folder / "manifest.json") or {"as_of_date": str(TODAY), "audiences": {}}
    said["audiences"] |= {
        listed: {"label": "x", "file": f"{listed}.csv", "rows": 0, "as_of_date": str(day)},
        "winback": {"label": "x", "file": "winback.csv", "rows": 3, "as_of_date": "2020-01-01"},
    }
    files.write_atomically(folder / "manifest.json", json.dumps(said))
    files.write_atomically(folder / "winback.csv", "email\n")
    made = {folder / f"{listed}.csv", folder / "mailchimp" / f"{listed}.csv"}
    for file in made:
        files.write_atomically(file, "email\n")
    return made


def former_destination(found, day):
    folder = found.home / "exports" / f"former_{day:%m_%d}"
    files.write_atomically(folder / "manifest.json", json.dumps({"as_of_date": str(day), "audiences": {}}))
    files.write_atomically(folder / "winback.csv", "email\n")
    return {folder / "manifest.json", folder / "winback.csv"}


MAKERS = {
    "rows": ("landing", land),
    "rejects": ("rejects", reject),
    "versions": ("versions", version),
    "plans": ("plans", plan),
    "results of gates": ("gates", judge),
    "pages of gates": ("gates", page),
    "customer ids": ("identities", registry),
    "lists without anybody": ("lists", empty_list),
    "lists of a former destination": ("lists", former_destination),
}


def there(found):
    return {path for path in found.home.rglob("*") if path.is_file()}


def test_every_area_is_tried_here():
    assert {area for area, _ in MAKERS.values()} == set(retention._AREAS)
    assert {*retention._AREAS, "ledger"} == set(settings.Settings.model_fields["retention"].annotation.model_fields)


@pytest.mark.parametrize("what", MAKERS)
def test_the_last_day_is_kept_and_what_is_a_day_older_goes(home, what):
    area, make = MAKERS[what]
    found = home(area, destinations={"files": {}})
    for days in (0, 1, DAYS):
        make(found, ago(days))
    before = there(found)
    old = make(found, ago(DAYS + 1))
    assert old <= there(found) and not old & before
    assert retention.prune(found, LATER) == {area: 1}
    assert (before - there(found), old & there(found)) == (set(), set())
    assert list(found.home.rglob("*.gone")) == []
    assert retention.prune(found, LATER) == {}


@pytest.mark.parametrize("what", MAKERS)
def test_what_was_written_lately_stays_whatever_its_day(home, what):
    area, make = MAKERS[what]
    found = home(area, destinations={"files": {}})
    for days in (0, 1, 2):
        make(found, ago(days))
    make(found, ago(900))
    now = datetime.now(UTC)
    before = there(found)
    assert retention.prune(found, now + timedelta(days=DAYS, minutes=-5)) == {}
    assert there(found) >= before
    assert retention.prune(found, now + timedelta(days=DAYS, minutes=5)) == {area: 1}


@pytest.mark.parametrize("what", MAKERS)
def test_nothing_goes_unless_somebody_says_so(home, what):
    area, make = MAKERS[what]
    found = home(*({entry for entry, _ in MAKERS.values()} - {area}))
    made = [make(found, ago(days)) for days in (0, 1, 900)]
    retention.prune(found, LATER)
    assert set().union(*made) <= there(found)


def test_nothing_goes_before_anything_is_published(inbox):
    found = inbox.settings("orders", {"path": "{ds}.csv"}, retention={"rejects": 1})
    reject(found, ago(900))
    before = there(found)
    assert retention.prune(found, LATER) == {}
    assert there(found) == before


# What a run still reads


def seen(found, day=TODAY):
    """All that a build of a day reads of the landing."""
    with duckdb.connect() as con:
        landing.create_views(con, found, day)
        freshness.create_table(con, found, day)
        rows = con.sql("select * exclude (_file) from landing.orders order by all").fetchall()
        return rows, con.sql("from landing.freshness").fetchall(), landing.unrepeated(found, day)


@pytest.mark.parametrize(
    ("load", "landed", "kept"),
    [
        ("snapshot", {900: "pass", 800: "warn"}, {800}),
        ("snapshot", {900: "pass", 800: "stop"}, {900, 800}),
        ("snapshot", {900: "pass", 850: "stop", 800: None}, {900, 800}),
        ("snapshot", {900: "pass", 5: "stop"}, {900, 5}),
        ("daily", {900: "pass", 850: "stop", 800: "warn", 0: "pass"}, {900, 800, 0}),
        ("daily", {900: "stop", 800: None, 0: "pass"}, {0}),
    ],
)
def test_a_build_reads_afterwards_what_it_read_before(home, load, landed, kept):
    found = home("landing", load=load)
    files_of = {days: land(found, ago(days), verdict) for days, verdict in landed.items()}
    before, tomorrow = seen(found), seen(found, ago(-1))
    assert len(before[0]) > 0
    gone = set(landed) - kept
    assert retention.prune(found, LATER) == ({"landing": len(gone)} if gone else {})
    assert {days for days, made in files_of.items() if made <= there(found)} == kept
    assert (seen(found), seen(found, ago(-1))) == (before, tomorrow)


def test_the_history_of_the_gate_stays(home):
    found = home("landing")
    for days in (900, 899, 0):
        land(found, ago(days))
    before = list(landing.recent(found, "orders", "shop", TODAY))
    assert len(before) == 2
    assert retention.prune(found, LATER) == {"landing": 2}
    assert list(landing.recent(found, "orders", "shop", TODAY)) == before


def test_a_past_day_without_rows_is_not_built_from_others(home):
    found = home("landing")
    for days in (900, 899, 0):
        land(found, ago(days))
    retention.prune(found, LATER)
    with pytest.raises(SourceRefused, match=f"land orders of shop for {ago(899)} again"):
        seen(found, ago(899))
    land(found, ago(899))
    assert len(seen(found, ago(899))[0]) == 1


def test_the_newest_rows_of_a_source_that_is_not_named_any_more_stay(home):
    found = home("landing")
    old, new = land(found, ago(900)), land(found, ago(800))
    other = found.home / "landing" / "orders" / "source=former"
    (other.parent / "source=shop").rename(other)
    assert retention.prune(found, LATER) == {"landing": 1}
    assert {path.parent.name for path in other.rglob("*.parquet")} == {path.parent.name for path in new}
    assert landing.sources_of(found, "orders") == ["former"]
    assert old != new


@pytest.fixture
def lake(bucket, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", bucket.store.connection())
    storage._opened.cache_clear()
    yield bucket
    storage._opened.cache_clear()


def test_rows_in_an_object_store_go_with_their_copies(home, lake):
    found = home("landing", "rejects", storage={"path": f"s3://{lake.name}/base", "connection": "lake"})
    for days in (DAYS + 1, DAYS, 0):
        land(found, ago(days))
    seen(found)
    assert retention.prune(found, datetime.now(UTC)) == {}
    assert retention.prune(found, LATER) == {"landing": 1, "rejects": 1}
    stored = [key for key in lake.tree() if key.endswith(".parquet")]
    assert sorted(key.split("ds=")[1][:10] for key in stored) == [str(ago(DAYS)), str(TODAY)]
    copies = [path for path in there(found) if path.suffix == ".parquet"]
    assert sorted(path.parent.name for path in copies) == [f"ds={ago(DAYS)}", f"ds={TODAY}"]


def test_the_published_version_and_those_the_audit_compares_with_stay(home):
    found = home("versions")
    version(found, ago(700), "b" * 12)
    version(found, ago(800), "c" * 12)
    version(found, ago(700), "d" * 12)
    (publish.folder(found) / "versions" / f".{ago(900)}.part").mkdir()
    assert retention.prune(found, LATER) == {"versions": 1}
    left = {path.name for path in (publish.folder(found) / "versions").glob("[0-9]*")}
    assert left == {name(TODAY), name(ago(700), "b" * 12), name(ago(700), "d" * 12)}


def test_whoever_has_a_deleted_version_open_reads_on(home):
    found = home("versions")
    version(found, ago(1))
    old = publish.folder(found) / "versions" / name(ago(900))
    old.mkdir()
    with duckdb.connect(str(old / "crm.duckdb")) as con:
        con.execute("create table numbers as select range as n from range(500000)")
    with duckdb.connect(str(old / "crm.duckdb"), read_only=True) as reader:
        reader.execute("select min(n) from numbers limit 1").fetchone()
        assert retention.prune(found, LATER) == {"versions": 1}
        assert not old.exists()
        assert reader.execute("select count(*), sum(n) from numbers").fetchone() == (500000, 124999750000)


def test_plans_stay_that_may_still_be_delivered_or_recorded(home):
    """Of four old plans one is of the published version, one was the last, and one is not recorded."""
    found = home("plans", destinations={"files": {}})
    waiting = plan(found, ago(900), published=name(TODAY))
    others = {key: plan(found, ago(900), digest=key * 12) for key in "cde"}
    with ledger.opened(found) as book:
        for key in others:
            plan_hash = f"hash of {name(ago(900), key * 12)}"
            number = book.begin_delivery("files", plan_hash, found.home, "run", as_of_date=ago(900))
            book.end_delivery(number, "done", {})
            if key != "c":
                book.mark_recorded(number)
    assert retention.prune(found, LATER) == {"plans": 1}
    assert {key for key, made in others.items() if all(path.exists() for path in made)} == {"c", "e"}
    assert all(path.exists() for path in waiting)


def test_the_registry_that_the_published_day_was_built_on_stays(home):
    found = home("identities")
    for days in (900, 800, 700, 0):
        registry(found, ago(days))
    assert retention.prune(found, LATER) == {"identities": 2}
    left = {path.name for path in (found.home / "state" / "identities").iterdir()}
    assert left == {f"ds={ago(700)}", f"ds={TODAY}"}


# Killed on the way


@pytest.mark.parametrize("what", ["versions", "plans", "customer ids", "results of gates"])
def test_a_folder_is_gone_at_once_and_its_rest_with_the_next_run(home, what, monkeypatch):
    area, make = MAKERS[what]
    found = home(area)
    for days in (0, 1, 2):
        make(found, ago(days))
    old = make(found, ago(900))

    def killed(folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(retention.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            retention.prune(found, LATER)
    assert not any(path.exists() for path in old)
    assert len(list(found.home.rglob("*.gone"))) == 1
    retention.prune(found, LATER)
    assert list(found.home.rglob("*.gone")) == []


def test_a_list_whose_files_are_gone_leaves_the_manifest_with_the_next_run(home):
    found = home("lists", destinations={"files": {}})
    for file in empty_list(found, ago(900)):
        file.unlink()
    folder = found.home / "exports" / "files"
    assert retention.prune(found, LATER) == {"lists": 1}
    assert list(json.loads((folder / "manifest.json").read_text())["audiences"]) == ["winback"]
    assert os.listdir(folder / "mailchimp") == []


# The ledger


def history(book):
    return (
        {row["plan_hash"] for row in book.deliveries()},
        {row["plan_hash"] for row in book.chunks("tool")},
        {plan_hash for plan_hash in ("p1", "p2", "p3") if book.decision(plan_hash, "tool")},
    )


def test_the_ledger_forgets_how_it_went_and_not_what_is_so(home, ledger_settings):
    found = ledger_settings.model_copy(update={"retention": home("ledger").retention, "home": home("ledger").home})
    with ledger.opened(found) as book:
        for number, plan_hash in enumerate(("p1", "p2", "p3")):
            delivery = book.begin_delivery("tool", plan_hash, found.home, "run", as_of_date=TODAY)
            book.decide(plan_hash, "tool", "approved", "vera", ["growth"])
            deliver(book, number, "upsert", None, people(f"c{number}"), plan=plan_hash)
            deliver(book, 10 + number, "add", "winback", people(f"c{number}"), plan=plan_hash)
            book.end_delivery(delivery, "done", {})
            if plan_hash != "p2":
                book.mark_recorded(delivery)
    state = _state(found)
    now = datetime.now(UTC)
    assert retention.prune(found, now + timedelta(days=DAYS, minutes=-5)) == {}
    assert retention.prune(found, now + timedelta(days=DAYS, minutes=5)) == {"ledger": 4}
    with ledger.opened(found) as book:
        assert history(book) == ({"p2", "p3"},) * 3
    assert _state(found) == state


def _state(found):
    with ledger.opened(found) as book:
        batches = [*book.contacts("tool"), *book.memberships("tool")]
        return [row for batch in batches for row in batch.to_pylist()], book.destination("tool")


def test_the_ledger_keeps_what_nobody_has_settled_and_plans_that_may_be_delivered(home):
    found = home("ledger")
    plan(found, ago(5), published=name(TODAY))
    pending = f"hash of {name(ago(5), 'b' * 12)}"
    with ledger.opened(found) as book:
        for plan_hash in (pending, "newer"):
            book.mark_recorded(book.begin_delivery("tool", plan_hash, found.home, "run", as_of_date=TODAY))
            deliver(book, 0, "add", "winback", people("a"), plan=plan_hash)
    assert retention.prune(found, LATER) == {}
