"""Files that lie in an object store, and a landing that does: as on this machine, and what can go wrong beside."""

from __future__ import annotations

import gzip
import io
import json
import logging
import socket
import time
from datetime import timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs

from expectations import inbound
from tangga import landing, settings, storage, summary, warehouse
from tangga.settings import SettingsError
from tangga.sources import objects, stores
from tangga.sources.records import SourceDown, SourceRefused
from tests.unit.inbox import BUSINESS, DAY, Landed
from tests.unit.object_store import KEY, SECRET

HEAD = "contact_id,updated_at,first_name\n"
AT = "2026-03-01T10:00:00Z"
GOOD = HEAD + f"1,{AT},Ani\n2,{AT},Budi\n"
ROWS = [("1", "Ani"), ("2", "Budi")]


@pytest.fixture
def lake(bucket, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", bucket.store.connection())
    monkeypatch.setattr(objects, "PAUSES", (0.0, 0.0))
    storage._opened.cache_clear()
    yield bucket
    storage._opened.cache_clear()


@pytest.fixture
def company(lake, inbox):
    """Lands contacts of `s3://<bucket>/shop`."""

    def land(path="contacts.csv", *, source=None, **spec):
        known = known_as(path, source=source, **spec)
        return Landed(known, landing.land(known, "shop", "contacts", DAY))

    def known_as(path="contacts.csv", *, source=None, **spec):
        shop = {"path": f"s3://{lake.name}/shop", "connection": "lake"} | (source or {})
        shop = {key: value for key, value in shop.items() if value is not None}
        sources = {"shop": shop | {"entities": {"contacts": {"path": path} | spec}}}
        return inbox.settings("contacts", sources=sources)

    land.settings = known_as
    return land


def landed(result) -> list[tuple]:
    return sorted(result.rows("contact_id", "first_name"))


def parquet(rows: list[tuple]) -> bytes:
    names = ("contact_id", "updated_at", "first_name")
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), buffer)
    return buffer.getvalue()


def spilled(inbox) -> list:
    return list((inbox.root / "home" / "tmp").iterdir())


# ---- an inbox in a store


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contacts.csv", GOOD.encode()),
        ("contacts.csv.gz", gzip.compress(GOOD.encode())),
        ("contacts.jsonl", b"".join(
            json.dumps({"contact_id": number, "updated_at": AT, "first_name": name}).encode() + b"\n"
            for number, name in ROWS
        )),
        ("contacts.parquet", parquet([(number, AT, name) for number, name in ROWS])),
    ],
    ids=["csv", "csv.gz", "jsonl", "parquet"],
)  # fmt: skip
def test_every_format_lands(lake, company, inbox, name, content):
    lake.put(f"shop/2026/{name}", content)
    lake.put(f"shopping/2026/{name}", b"not ours")
    result = company(f"*/{name}")
    assert landed(result) == ROWS
    assert set(result.column("_file")) == {f"2026/{name}"}
    assert spilled(inbox) == []


NAMES = ["a b.csv", "ä*ü.csv", "kontak [1].csv", 'o\'brien "x".csv', "100%25+1.csv", "emoji 🦊.csv", "#q?x=1.csv"]


def test_names_of_any_kind(lake, company):
    for number, name in enumerate(NAMES):
        lake.put(f"shop/in/{name}", HEAD + f"{number},{AT},x\n")
    result = company("in/*.csv")
    assert sorted(result.rows("_file", "contact_id")) == sorted((f"in/{n}", str(i)) for i, n in enumerate(NAMES))


MATCHES = {
    "*.csv": {"a.csv"},
    "a.csv": {"a.csv"},
    "*/a.csv": {"x/a.csv", "y/a.csv"},
    "**/a.csv": {"a.csv", "x/a.csv", "y/a.csv", "x/deep/a.csv"},
    "x/**/*.csv": {"x/a.csv", "x/deep/a.csv", "x/deep/B.csv"},
    "[xz]/a.csv": {"x/a.csv"},
    "?/deep/[!a].csv": {"x/deep/B.csv"},
    "x/**": set(),
    "nothing/*.csv": set(),
    "a.csv/*": set(),
}


@pytest.mark.parametrize("pattern", MATCHES)
def test_a_pattern_means_what_it_means_here(lake, company, inbox, pattern):
    for name in ("a.csv", ".hidden.csv", "x/a.csv", "y/a.csv", "x/deep/a.csv", "x/deep/B.csv", "z/other.txt"):
        lake.put(f"shop/{name}", HEAD + f"{name},{AT},x\n")
        inbox.put(name, HEAD + f"{name},{AT},x\n")
    lake.put("shop/x/", b"")  # what a console makes for a folder
    if MATCHES[pattern]:
        there = company(pattern)
        here = inbox.land("contacts", spec={"path": pattern})
        assert set(there.column("_file")) == set(here.column("_file")) == MATCHES[pattern]
        assert there.manifest.sha256 == here.manifest.sha256
    else:
        for land in (company, lambda path: inbox.land("contacts", spec={"path": path})):
            with pytest.raises(SourceDown, match="no file matches"):
                land(pattern)


@pytest.mark.parametrize("path", ["../shop2/*.csv", "x/../../a.csv", "/etc/passwd"])
def test_ways_out_of_the_folder_are_refused(lake, company, path):
    lake.put("shop2/a.csv", GOOD)
    with pytest.raises(SourceRefused, match=rf"leads out of the source's folder s3://{lake.name}/shop"):
        company(path)


@pytest.mark.parametrize("name", ["../z.csv", "x//z.csv", "./z.csv", f"{'n' * 256}.csv", "z?versionId=7.csv"])
def test_names_that_are_no_paths_are_refused(lake, company, inbox, name):
    lake.put(f"shop/{name}", GOOD)
    with pytest.raises(SourceRefused, match="cannot be the name of a file below a folder"):
        company("**/*.csv")
    assert spilled(inbox) == []


def test_more_objects_than_a_page_of_the_listing(lake, company):
    for number in range(1005):
        lake.put(f"shop/many/{number:04}.csv", HEAD + f"{number},{AT},x\n")
    assert company("many/*.csv").manifest.rows == 1005


def test_hostile_files_are_refused_by_their_uri(lake, company, inbox):
    lake.put("shop/contacts.csv", gzip.compress(GOOD.encode())[:-8])
    with pytest.raises(SourceRefused, match=rf"^s3://{lake.name}/shop/contacts\.csv: is a damaged or incomplete gzip"):
        company()
    lake.put("shop/contacts.csv", "contact_id,first_name\n1,Ani\n")
    with pytest.raises(SourceRefused, match=rf"^s3://{lake.name}/shop/contacts\.csv: has no column 'updated_at'"):
        company()
    lake.put("shop/contacts.csv", HEAD + f"1,{AT},Ani\n2,{AT}\n")
    assert company().rejects == [("contacts.csv", 3, "the line has 2 fields where the header has 3")]
    lake.put("shop/contacts.parquet", parquet([("1", AT, "Ani")])[:-4])
    with pytest.raises(SourceRefused, match=rf"^s3://{lake.name}/shop/contacts\.parquet: is a damaged"):
        company("contacts.parquet")
    assert spilled(inbox) == []


def test_the_same_files_are_the_same_bytes_as_local_ones(lake, company, inbox):
    lake.put("shop/contacts.csv", GOOD)
    assert company().manifest == inbox.land("contacts", GOOD).manifest


def meddle(monkeypatch, times: int, meddling) -> None:
    """Do something in the store right before `b.csv` is fetched, so many times."""
    original, left = s3fs.S3FileSystem._get_file, list(range(1, times + 1))

    async def fetching(self, rpath, lpath, **options):
        if rpath.endswith("b.csv") and left:
            meddling(left.pop(0))
        await original(self, rpath, lpath, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_get_file", fetching)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("replace a", [("1", "New"), ("2", "Budi")]),
        ("remove a", [("2", "Budi")]),
        ("remove b", [("1", "Old")]),
    ],
)
def test_what_changes_while_it_is_read_is_read_again(lake, company, inbox, monkeypatch, change, expected):
    lake.put("shop/a.csv", HEAD + f"1,{AT},Old\n")
    lake.put("shop/b.csv", HEAD + f"2,{AT},Budi\n")
    new = {
        "replace a": lambda _: lake.put("shop/a.csv", HEAD + f"1,{AT},New\n"),
        "remove a": lambda _: lake.delete("shop/a.csv"),
        "remove b": lambda _: lake.delete("shop/b.csv"),
    }
    meddle(monkeypatch, 1, new[change])
    assert landed(company("*.csv")) == expected
    assert spilled(inbox) == []


def test_what_never_comes_to_rest_is_refused(lake, company, inbox, monkeypatch):
    lake.put("shop/a.csv", HEAD + f"1,{AT},Old\n")
    lake.put("shop/b.csv", HEAD + f"2,{AT},Budi\n")
    meddle(monkeypatch, 3, lambda time: lake.put("shop/a.csv", HEAD + f"1,{AT},New {time}\n"))
    with pytest.raises(SourceDown, match=r"shop: 'a\.csv' was changed while it was read, 3 times"):
        company("*.csv")
    assert spilled(inbox) == []


def test_what_is_added_while_it_is_read_waits_for_the_next_run(lake, company, monkeypatch):
    lake.put("shop/a.csv", GOOD)
    original = s3fs.S3FileSystem._get_file

    async def adding(self, rpath, lpath, **options):
        lake.put("shop/b.csv", "half")
        await original(self, rpath, lpath, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_get_file", adding)
    assert landed(company("*.csv")) == ROWS


def test_any_file_system_of_fsspec_can_be_read(inbox, company):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/exports/shop/contacts.csv", GOOD.encode())
    try:
        result = company("*.csv", source={"path": "memory://exports/shop", "connection": None})
        assert landed(result) == ROWS
        assert result.column("_file") == ["contacts.csv"] * 2
    finally:
        memory.store.clear()


def test_a_store_that_tangga_has_no_package_for_is_refused(company):
    with pytest.raises(SourceRefused, match="gs://acme/x: Tangga lacks what reads gs://"):
        company(source={"path": "gs://acme/x", "connection": None})


# ---- samples


@pytest.mark.parametrize("kind", ["local", "store"])
@pytest.mark.parametrize("name", ["contacts.csv.gz", "contacts.jsonl", "contacts.parquet"])
def test_a_sample_does_not_need_the_whole_file(lake, company, inbox, monkeypatch, kind, name):
    """Its end is damaged (a Parquet file's end is its index): who reads on would refuse it."""
    rows = [(str(number), AT, f"name {number * 7919 % 1000}") for number in range(3000)]
    if name.endswith("parquet"):
        content = parquet(rows)
    elif name.endswith("jsonl"):
        content = b"".join(json.dumps({"contact_id": n, "updated_at": at}).encode() + b"\n" for n, at, _ in rows)
        content += b"\xff\xfe\x00" * 100_000
    else:
        content = gzip.compress((HEAD + "".join(",".join(row) + "\n" for row in rows)).encode())[:-8]
    monkeypatch.setattr(objects, "SAMPLE_BYTES", 20_000)
    from tangga import engine
    from tangga.landing.extract import extract
    from tangga.sources.relations import Reading

    lake.put(f"shop/{name}", content)
    inbox.put(name, content)
    known = company.settings(name) if kind == "store" else inbox.settings("contacts", {"path": name})
    with engine.scratch(known) as con:
        found = extract(con, Reading(known, "shop", "contacts", DAY, sample=25))
        ids = [number for (number,) in con.execute("select contact_id from _landed").fetchall()]
    assert (found.counts["rows"], found.rejects) == (25, [])
    assert sorted(ids, key=int) == [str(number) for number in range(25)]


# ---- who may read, and where


def refused(company, kind=SourceRefused, **source) -> str:
    with pytest.raises(SourceRefused) as caught:
        company(source=source)
    assert type(caught.value) is kind
    text = str(caught.value)
    assert SECRET not in text and KEY not in text and "Signature" not in text
    return text


@pytest.mark.parametrize("path", ["contacts.csv", "*.csv", "**/*.csv", "2026/*.csv"])
def test_wrong_credentials_are_told_from_an_empty_folder(lake, company, path, caplog):
    caplog.set_level(logging.DEBUG)
    lake.put("shop/contacts.csv", GOOD)
    lake.store.check_credentials(True)
    try:
        with pytest.raises(SourceRefused, match=r"the store does not let us in .*correct connection 'lake'") as caught:
            company(path)
    finally:
        lake.store.check_credentials(False)
    assert type(caught.value) is SourceRefused
    servers = ("moto", "werkzeug", "urllib3")
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith(servers)]
    for text in (str(caught.value), *logged):
        assert SECRET not in text and KEY not in text and "Signature" not in text


@pytest.mark.parametrize("path", ["contacts.csv", "*.csv", "**/*.csv", "2026/*.csv"])
def test_a_missing_bucket_is_told_from_an_empty_folder(company, path):
    with pytest.raises(SourceRefused, match="s3://no-such-bucket-here: there is no such bucket") as caught:
        company(path, source={"path": "s3://no-such-bucket-here"})
    assert type(caught.value) is SourceRefused


def test_an_endpoint_that_is_down(lake, company, monkeypatch):
    lake.put("shop/contacts.csv", GOOD)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", lake.store.connection(endpoint_url=url))
    monkeypatch.setitem(stores._NETWORK, "retries", {"max_attempts": 1})
    assert "the store cannot be reached (EndpointConnectionError)" in refused(company, SourceDown)


def test_an_endpoint_that_does_not_answer(lake, company, monkeypatch):
    monkeypatch.setitem(stores._NETWORK, "read_timeout", 0.2)
    monkeypatch.setitem(stores._NETWORK, "retries", {"max_attempts": 1})
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AIRFLOW_CONN_LAKE", lake.store.connection(endpoint_url=url))
        assert "the store cannot be reached (ReadTimeoutError)" in refused(company, SourceDown)


def test_without_a_connection_the_machine_s_own_credentials_are_used(lake, company, monkeypatch):
    lake.put("shop/contacts.csv", GOOD)
    for name, value in {
        "AWS_ENDPOINT_URL": lake.store.url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    assert landed(company(source={"connection": None})) == ROWS
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    assert "(NoCredentialsError); correct the credentials of this machine" in refused(company, connection=None)


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ({"conn_type": "postgres", "login": KEY, "password": SECRET}, "is of type 'postgres'"),
        ({"conn_type": "aws", "login": KEY}, "has only one of login"),
        ({"conn_type": "aws", "password": SECRET}, "has only one of login"),
        ({"conn_type": "aws", "extra": {"role_arn": SECRET}}, "has role_arn, which Tangga does not know"),
        ({"conn_type": "aws", "extra": {"verify": ["x"], "endpoint_url": {"a": SECRET}}}, "correct"),
    ],
)
def test_connections_that_cannot_be_used(lake, company, monkeypatch, connection, said):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(connection))
    assert said in refused(company)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"path": f"s3://{KEY}:{SECRET}@bucket/x"}, "address, login and secret belong to an Airflow connection"),
        ({"path": "simplecache::s3://bucket/x"}, "write it like s3://"),
        ({"path": "file:///etc"}, "write a folder of this machine as a plain path"),
        ({"path": "inbox", "connection": "lake"}, "'connection' is for a 'path' such as s3://"),
    ],
)
def test_paths_and_connections_that_are_none(company, source, said):
    with pytest.raises(SettingsError) as caught:
        company(source=source)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


# ---- a landing in a store


@pytest.fixture
def stored(lake, inbox):
    """A local inbox whose landing lies in the bucket, below `base`."""
    inbox.storage = {"path": f"s3://{lake.name}/base", "connection": "lake"}

    def land(content, day=DAY, **spec):
        known = inbox.settings("contacts", spec, storage=inbox.storage)
        inbox.put("contacts.csv", content)
        return Landed(known, landing.land(known, "shop", "contacts", day))

    return land


def test_landing_lies_in_the_store_and_nowhere_else(lake, stored, inbox):
    result = stored(GOOD + "broken\n")
    partition = "base/{}/contacts/source=shop/ds=2026-03-10"
    tree = lake.tree()
    assert set(tree) == {
        f"{partition.format('landing')}/{result.manifest.file}",
        f"{partition.format('landing')}/manifest.json",
        f"{partition.format('rejects')}/rejects.jsonl",
    }
    assert inbox.tree() == {}
    local = inbox.land("contacts", GOOD + "broken\n")
    assert local.manifest == result.manifest
    for area, name in (("landing", local.manifest.file), ("landing", "manifest.json"), ("rejects", "rejects.jsonl")):
        here = inbox.root / "home" / area / "contacts/source=shop/ds=2026-03-10" / name
        assert tree[f"{partition.format(area)}/{name}"][0] == here.read_bytes()


def test_landing_twice_changes_no_object(lake, stored):
    stored(GOOD + "broken\n")
    before = lake.tree()
    time.sleep(1.1)  # the store tells times in seconds
    stored(GOOD + "broken\n")
    assert lake.tree() == before


def test_a_damaged_object_is_mended_by_landing_again(lake, stored):
    result = stored(GOOD)
    (key,) = [key for key in lake.tree() if key.endswith(".parquet")]
    content = lake.tree()[key][0]
    lake.put(key, content[:-1] + b"!")
    stored(GOOD)
    assert lake.tree()[key][0] == content
    assert landing.manifests(result.settings, DAY) == [result.manifest]


def test_changed_data_replace_exactly_their_partition(lake, stored, inbox):
    old = stored(GOOD)
    stored(GOOD, DAY + timedelta(days=1))
    other = {key: value for key, value in lake.tree().items() if "ds=2026-03-11" in key}
    lake.put("base/landing/contacts/source=shop/ds=2026-03-10/0123456789abcdef.parquet", b"of a killed run")
    new = stored(HEAD + f"9,{AT},Eka\n")
    assert {key: value for key, value in lake.tree().items() if "ds=2026-03-11" in key} == other
    kept = [key.rsplit("/", 1)[1] for key in lake.tree() if "landing" in key and "ds=2026-03-10" in key]
    assert sorted(kept) == sorted([new.manifest.file, "manifest.json"])
    assert old.manifest.file != new.manifest.file
    copies = inbox.root / "home/cache/landing/contacts/source=shop/ds=2026-03-10"
    assert [path.name for path in copies.iterdir()] == [new.manifest.file]


def test_a_file_that_has_vanished_stops_its_entity_at_the_gate(lake, stored, inbox):
    result = stored(GOOD)
    lake.delete(next(key for key in lake.tree() if key.endswith(".parquet")))
    for copy in (inbox.root / "home/cache").rglob("*.parquet"):
        copy.unlink()
    (judged,) = inbound.check(result.settings, DAY)
    assert (judged.verdict, [check.name for check in judged.checks]) == ("stop", ["complete"])


@pytest.mark.parametrize("call", ["_put_file", "_pipe_file"])
def test_a_crash_leaves_the_partition_before(lake, stored, monkeypatch, call):
    old = stored(GOOD)
    landing.record_verdict(old.settings, old.manifest, "pass", [])

    async def crash(*_, **__):
        raise RuntimeError("killed")  # KeyboardInterrupt would end the library's own thread

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="killed"):
        patch.setattr(s3fs.S3FileSystem, call, crash)
        storage._opened.cache_clear()
        stored(HEAD + f"9,{AT},Eka\n")
    storage._opened.cache_clear()
    assert landing.manifests(old.settings, DAY) == [old.manifest]
    (path,) = landing.partitions(old.settings, "contacts", DAY)
    assert path.name == old.manifest.file
    assert lake.uploads() == []


def test_gate_views_and_plans_read_the_store(lake, stored, inbox):
    results = [stored(GOOD, DAY + timedelta(days=number)) for number in range(2)]
    known = results[0].settings
    (judged,) = inbound.check(known, DAY)
    assert judged.verdict == "pass", judged.failures
    assert warehouse.prepare(known, DAY + timedelta(days=1))["contacts"] == 2
    assert [path.parent.name for path in landing.partitions(known, "contacts", DAY + timedelta(days=1))] == [
        "ds=2026-03-10"
    ]
    assert str(landing.folder(known, "contacts", "shop", DAY)) == (
        f"s3://{lake.name}/base/landing/contacts/source=shop/ds=2026-03-10"
    )
    assert f"s3://{lake.name}/base/rejects/" in summary._places(known)
    assert landing.is_accepted(landing.folder(known, "contacts", "shop", DAY))
    assert not landing.is_accepted(landing.folder(known, "contacts", "shop", DAY + timedelta(days=1)))


def test_daily_partitions_are_all_that_were_let_in(stored, inbox):
    known = None
    for number, verdict in enumerate(["pass", "stop", "warn", None, "pass"]):
        day = DAY + timedelta(days=number)
        inbox.put(f"{day}.csv", HEAD + f"{number},{AT},x\n")
        result = stored(GOOD, day, path="{ds}.csv", load="daily")
        known = result.settings
        if verdict:
            landing.record_verdict(known, result.manifest, verdict, [])
    found = [path.parent.name for path in landing.partitions(known, "contacts", day)]
    assert found == ["ds=2026-03-10", "ds=2026-03-12", "ds=2026-03-14"]


def test_copies_are_fetched_once_and_again_when_damaged(lake, stored, inbox, monkeypatch):
    result = stored(GOOD)
    landing.record_verdict(result.settings, result.manifest, "pass", [])
    copy = landing.here(result.settings, result.manifest)
    assert copy.is_relative_to(inbox.root / "home" / "cache")
    fetched = []
    original = s3fs.S3FileSystem._get_file

    async def counting(self, rpath, lpath, **options):
        fetched.append(rpath)
        await original(self, rpath, lpath, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_get_file", counting)
    storage._opened.cache_clear()
    assert landing.partitions(result.settings, "contacts", DAY) == [copy]
    assert fetched == []  # landing left it there
    copy.unlink()
    for _ in range(2):
        assert landing.partitions(result.settings, "contacts", DAY) == [copy]
    assert len(fetched) == 1
    copy.chmod(0o600)
    copy.write_bytes(b"damaged")
    assert landing.partitions(result.settings, "contacts", DAY) == [copy]
    assert len(fetched) == 2
    assert copy.stat().st_mode & 0o777 == 0o600
    assert duckdb.sql(f"select count(*) from '{copy}'").fetchone() == (2,)


@pytest.mark.parametrize("damage", ["gone", "other bytes"])
def test_an_object_that_is_not_what_was_let_in_is_not_built_on(lake, stored, inbox, damage):
    result = stored(GOOD)
    landing.record_verdict(result.settings, result.manifest, "pass", [])
    landing.here(result.settings, result.manifest).unlink()
    (key,) = [key for key in lake.tree() if key.endswith(".parquet")]
    lake.delete(key) if damage == "gone" else lake.put(key, b"PAR1 other bytes PAR1")
    with pytest.raises(SourceRefused, match=rf"^s3://.*{result.manifest.file}: is missing, damaged or was changed"):
        warehouse.prepare(result.settings, DAY)
    stored(GOOD)
    assert warehouse.prepare(result.settings, DAY)["contacts"] == 2


@pytest.mark.parametrize("name", ["manifest.json", "gate.json"])
def test_a_damaged_state_object_means_not_landed(lake, stored, name):
    result = stored(GOOD)
    landing.record_verdict(result.settings, result.manifest, "pass", [])
    lake.put(f"base/landing/contacts/source=shop/ds=2026-03-10/{name}", b"{half")
    assert landing.partitions(result.settings, "contacts", DAY) == []


def test_a_store_that_does_not_let_us_in_never_looks_empty(lake, stored):
    result = stored(GOOD)
    landing.record_verdict(result.settings, result.manifest, "pass", [])
    lake.store.check_credentials(True)
    try:
        for ask in (
            lambda: landing.partitions(result.settings, "contacts", DAY),
            lambda: landing.manifests(result.settings, DAY),
            lambda: landing.is_accepted(landing.folder(result.settings, "contacts", "shop", DAY)),
            lambda: landing.land(result.settings, "shop", "contacts", DAY),
        ):
            with pytest.raises(SourceRefused, match="does not let us in"):
                ask()
    finally:
        lake.store.check_credentials(False)


def test_a_store_that_is_down_never_looks_empty(lake, stored, inbox, monkeypatch):
    result = stored(GOOD)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", lake.store.connection(endpoint_url=url))
    monkeypatch.setitem(stores._NETWORK, "retries", {"max_attempts": 1})
    storage._opened.cache_clear()
    for ask in (
        lambda: landing.partitions(result.settings, "contacts", DAY),
        lambda: landing.manifests(result.settings, DAY),
        lambda: stored(GOOD),
    ):
        with pytest.raises(SourceRefused, match="the store cannot be reached") as caught:
            ask()
        assert not isinstance(caught.value, SourceDown)  # no source is passed over for it


def test_a_missing_bucket_is_refused_before_anything_is_read(inbox, lake):
    inbox.put("contacts.csv", GOOD)
    known = inbox.settings("contacts", storage={"path": "s3://no-such-bucket-here/x", "connection": "lake"})
    with pytest.raises(SourceRefused, match="there is no such bucket"):
        landing.land(known, "shop", "contacts", DAY)


@pytest.mark.parametrize("path", ["var", "sftp://host/x", f"s3://{KEY}:{SECRET}@bucket/x", "s3://", "s3:///x"])
def test_a_place_that_cannot_hold_the_landing(tmp_path, path):
    config = {"business": BUSINESS, "sources": {"s": {"path": "x", "entities": {}}}, "storage": {"path": path}}
    (tmp_path / "tangga.yml").write_text(json.dumps(config))
    with pytest.raises(SettingsError, match="storage.path: write it like s3://bucket/folder") as caught:
        settings.load(tmp_path / "tangga.yml")
    assert SECRET not in str(caught.value)
