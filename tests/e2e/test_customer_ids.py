"""Customer ids over three days of a tiny company, from files to registry: late data, a merge, a changed address."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tangga import dbt, identities, landing, settings, warehouse
from tangga.settings import Settings

pytestmark = pytest.mark.e2e

CONFIG = """
business: {name: Toko, time_zone: UTC, currency: IDR, country: ID}
sources:
  shop: {path: inbox, entities: {contacts: {path: "contacts_{ds}.csv"}}}
  mailer: {path: inbox, entities: {consents: {path: "consents_{ds}.csv"}}}
"""
HEADER = "contact_id,updated_at,signup_at,email\n"
CONSENTS = "email,channel,status,status_at\n"
DAYS = {
    date(2026, 3, 1): (
        "1,2026-01-01,2026-01-02,ani@example.com\n2,2026-01-01,2026-01-03,budi@example.com\n",
        "ani@example.com,email,granted,2026-01-05\n",
    ),
    # budi is ani, as is a late record that was there before both
    date(2026, 3, 2): (
        "1,2026-01-01,2026-01-02,ani@example.com\n2,2026-03-02,2026-01-03,ani@example.com\n"
        "0,2026-01-01,2026-01-01,ani@example.com\n",
        "ani@example.com,email,granted,2026-01-05\n",
    ),
    # ani has another address; the mailer, which knows the old one only, hears her no
    date(2026, 3, 3): (
        "1,2026-03-03,2026-01-02,new@example.com\n",
        "ani@example.com,email,granted,2026-01-05\nani@example.com,email,revoked,2026-03-03\n"
        "new@example.com,email,granted,2026-03-03\n",
    ),
}


def hashed(text: str) -> str:
    return "c" + hashlib.sha256(text.encode()).hexdigest()[:16]


def build(company: Settings, day: date) -> dict[str, list[tuple]]:
    """Land a day, let dbt work out who is who, and keep the registry; returns what of it can be seen."""
    for source, entity in (("shop", "contacts"), ("mailer", "consents")):
        landing.record_verdict(company, landing.land(company, source, entity, day), "pass", [])
    warehouse.prepare(company, day)
    models = ("+customer_identity_changes", "+customer_id_aliases", "+int_consent_states", "int_known_records")
    dbt.run(company, day, "build", "--quiet", "--indirect-selection", "buildable", "--select", *models)
    identities.keep(company, day)
    queries = {
        "identities": "select contact_id, customer_id from intermediate.int_customer_identities where source = 'shop'",
        "changes": "select change_date, change, from_customer_id, to_customer_id from core.customer_identity_changes",
        "aliases": "from core.customer_id_aliases",
        "consents": "select customer_id, is_granted from intermediate.int_consent_states",
    }
    with duckdb.connect(str(warehouse.path(company)), read_only=True) as con:
        return {name: sorted(con.sql(query).fetchall()) for name, query in queries.items()}


def registries(company: Settings) -> dict[str, bytes]:
    base = identities.folder(company, "").parent
    return {str(path.relative_to(base)): path.read_bytes() for path in sorted(base.rglob("*")) if path.is_file()}


def test_ids_go_on_and_a_replay_gives_what_it_gave(tmp_path: Path):
    (tmp_path / "tangga.yml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "inbox").mkdir()
    for day, (contacts, consents) in DAYS.items():
        (tmp_path / "inbox" / f"contacts_{day}.csv").write_text(HEADER + contacts, encoding="utf-8")
        (tmp_path / "inbox" / f"consents_{day}.csv").write_text(CONSENTS + consents, encoding="utf-8")
    company = settings.load(tmp_path / "tangga.yml", tmp_path / "var")
    first, second, third = DAYS
    ani, budi = hashed("shop:1"), hashed("shop:2")

    one = build(company, first)
    assert one["identities"] == [("1", ani), ("2", budi)]
    assert (one["changes"], one["aliases"], one["consents"]) == ([], [], [(ani, True)])

    two = build(company, second)
    assert two["identities"] == [("0", ani), ("1", ani), ("2", ani)]
    assert two["changes"] == [(second, "merged", budi, ani)]
    assert two["aliases"] == [(budi, ani)]

    three = build(company, third)
    assert three["identities"] == [("1", ani)], "a new address is no new customer"
    assert dict(three["consents"])[ani] is False, "the no to the former address does not reach the customer"
    assert three["aliases"] == [(budi, ani)]

    kept = registries(company)
    assert len(kept) == 3 * (1 + len(identities.TABLES))
    assert not any(b"@example" in content for content in kept.values())
    assert build(company, second) == two
    assert registries(company) == kept
