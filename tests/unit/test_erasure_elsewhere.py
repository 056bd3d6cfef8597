"""Erasure where the ledger is PostgreSQL's, and where the landing lies in an object store."""

from __future__ import annotations

import pytest

from tangga import landing, storage
from tangga.contracts import CONTRACTS
from tangga.erasure import requests, tombstones
from tests.unit import erasures
from tests.unit.erasures import ADDRESS, NEXT, OTHERS, PHONE, found_in


@pytest.fixture
def in_postgres(tmp_path, server, use, request):
    name = f"ledger_{abs(hash(request.node.nodeid))}"
    server.run(f"create database {name}")
    use(server.connection(name))
    yield erasures.company(tmp_path, ledger={"connection": "crm_db"})
    server.run(f"drop database {name} with (force)")


def test_tombstones_in_postgresql_keep_a_person_out(in_postgres):
    company = in_postgres
    company.land()
    request = company.erase()
    company.land(NEXT)
    assert {entity: company.keys(entity, NEXT) for entity in CONTRACTS} == OTHERS
    assert requests.take(company.settings, request)["state"] == "done"
    assert tombstones.lift(company.settings, [("phone", (PHONE,))]) > 0
    company.land(NEXT)
    assert "007" in company.keys("contacts", NEXT)


@pytest.fixture
def in_a_store(tmp_path, bucket, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", bucket.store.connection())
    storage._opened.cache_clear()
    yield erasures.company(tmp_path, storage={"path": f"s3://{bucket.name}/base", "connection": "lake"}), bucket
    storage._opened.cache_clear()


def test_neither_the_store_nor_its_copies_know_the_person(in_a_store, tmp_path):
    company, bucket = in_a_store

    def stored() -> dict[str, bytes]:
        client = bucket.store.client
        keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket.name).get("Contents", [])]
        return {key: client.get_object(Bucket=bucket.name, Key=key)["Body"].read() for key in keys}

    company.land()
    assert any("rejects" in key and b"A-3" in content for key, content in stored().items())
    company.erase()
    assert {entity: company.keys(entity) for entity in CONTRACTS} == OTHERS
    assert all(
        landing.is_accepted(landing.folder(company.settings, entity, "shop", erasures.DAY)) for entity in CONTRACTS
    )
    after = tmp_path / "after"
    for key, content in stored().items():
        (after / key).parent.mkdir(parents=True, exist_ok=True)
        (after / key).write_bytes(content)
    assert len(list(after.rglob("*.parquet"))) == len(CONTRACTS)
    assert {word for _, word in found_in(after, (ADDRESS, PHONE, "A-3", "Anindita"))} == {ADDRESS}, "of a friend's text"
    assert {word for _, word in found_in(company.home, (PHONE, "Anindita", "A-1"))} == set()
