"""Who was erased: taken out of what has landed, and kept out of what lands."""

from __future__ import annotations

import json
import unicodedata

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tangga import landing
from tangga.contracts import CONTRACTS
from tangga.erasure import hashes, tombstones
from tangga.landing import freshness, normalise
from tests.unit import erasures
from tests.unit.erasures import ADDRESS, NEXT, OF_ANI, OTHERS, PHONE
from tests.unit.inbox import DAY


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = erasures.company(tmp_path_factory.mktemp("made"))
    found.land()
    return found


@pytest.fixture
def company(made, tmp_path):
    return erasures.copied(made, tmp_path)


def test_the_company_has_somebody_to_forget(company):
    assert set(OTHERS) == set(OF_ANI) == set(CONTRACTS)
    everybody = {entity: len(lines) - 1 for entity, lines in erasures.FILES.items()}
    assert {e: len(company.rows(e)) + len(company.rejects(e)) for e in CONTRACTS} == everybody


def test_all_rows_of_the_person_go_and_those_of_others_stay_as_they_are(company):
    before = {entity: company.rows(entity) for entity in CONTRACTS}
    company.keep_identities()
    company.erase()
    assert {entity: company.keys(entity) for entity in CONTRACTS} == OTHERS
    for entity, rows in before.items():
        assert company.rows(entity) == [row for row in rows if row in company.rows(entity)]
    assert [reject["row"]["order_id"] for reject in company.rejects("orders")] == ["A-4"]
    assert [reject["row"] for reject in company.rejects("tickets")] == ["t4,8"]
    manifests = {entity: landing.read_manifest(place(company, entity)) for entity in CONTRACTS}
    assert {entity: manifest.erased for entity, manifest in manifests.items()} == OF_ANI
    assert [manifests[entity].rejected for entity in ("orders", "tickets")] == [1, 1]


def test_what_is_left_is_let_in_and_no_new_landing(company):
    before = {row.key: row.content for row in freshness.of_day(company.settings, DAY)}
    company.erase()
    for entity in CONTRACTS:
        assert landing.is_accepted(place(company, entity))
        assert len(landing.partitions(company.settings, entity, DAY)) == 1
        assert [file.suffix for file in place(company, entity).iterdir()].count(".parquet") == 1
    assert {row.key: row.content for row in freshness.of_day(company.settings, DAY)} == before


def test_a_second_erasure_is_let_in_as_well(company):
    company.erase()
    company.erase(email="budi@toko.example")
    assert company.keys("contacts") == {"9"}
    assert landing.is_accepted(place(company, "contacts"))


def test_what_was_not_let_in_stays_out(company):
    manifest = landing.read_manifest(place(company, "contacts"))
    landing.record_verdict(company.settings, manifest, "stop", ["volume"])
    landing.land(company.settings, "shop", "contacts", NEXT)
    company.erase()
    assert not landing.is_accepted(place(company, "contacts"))
    assert not landing.is_accepted(place(company, "contacts", NEXT))
    assert company.keys("contacts", NEXT) == OTHERS["contacts"]


def test_old_files_do_not_bring_the_person_back(company):
    """The same files land as what was left of them: the same rows, in the same order."""
    company.erase()
    left = {entity: company.rows(entity) for entity in CONTRACTS}
    company.land(NEXT)
    assert {entity: company.keys(entity, NEXT) for entity in CONTRACTS} == OTHERS
    assert {entity: company.rows(entity, NEXT) for entity in CONTRACTS} == left
    counts = {entity: landing.read_manifest(place(company, entity, NEXT)).erased for entity in CONTRACTS}
    assert counts == OF_ANI
    assert [reject["row"] for reject in company.rejects("tickets", NEXT)] == ["t4,8"]
    assert [reject["row"]["order_id"] for reject in company.rejects("orders", NEXT)] == ["A-4"]


@pytest.mark.parametrize(
    "by", [f"77,{{at}},{ADDRESS},,Ani", "78,{at},,0812 3456 7890,Ani", "007,{at},new@x.example,,Ani"]
)
def test_a_new_record_of_the_person_stays_out(company, by):
    company.erase()
    row = by.format(at=erasures.AT)
    (company.root / "inbox" / "contacts.csv").write_text(
        f"contact_id,updated_at,email,phone,first_name\n{row}\n5,{erasures.AT},,,E\n"
    )
    landing.land(company.settings, "shop", "contacts", NEXT)
    assert company.keys("contacts", NEXT) == {"5"}


SPACES = st.text(st.sampled_from(normalise.SPACES), max_size=3)


@st.composite
def spellings(draw, address: str):
    cased = "".join(draw(st.sampled_from((sign.lower(), sign.upper()))) for sign in address)
    form = draw(st.sampled_from(("NFC", "NFD", "NFKC")))
    return draw(SPACES) + unicodedata.normalize(form, cased) + draw(SPACES)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_spelling_of_an_address_comes_back(tmp_path_factory, data):
    """Upper case, spaces that cannot be seen, composed and decomposed letters, domains as people write them."""
    address = data.draw(st.sampled_from([ADDRESS, "ani@bücher.example", "ani.ü@toko.example"]))
    spelled = data.draw(spellings(address))
    found = tombstones.Blocked(
        b"k" * 32, frozenset({("email", hashes.digest(b"k" * 32, "email", normalise.email(address)))})
    )
    contract = CONTRACTS["tickets"]
    assert normalise.email(spelled) == normalise.email(address)
    assert found.holds({"email": spelled}, contract, "shop", "ID")
    assert found.holds(f"t1,,{spelled},complaint", contract, "shop", "ID")
    assert not found.holds({"email": f"x{spelled.strip(normalise.SPACES)}"}, contract, "shop", "ID")


@pytest.mark.parametrize(
    "spelled", ["ANI@BÜCHER.example", "ani@xn--bcher-kva.example", "\u00a0ani@bücher.example\u200b"]
)
def test_no_spelling_of_an_address_lands_again(company, spelled):
    company.erase(email="ani@bücher.example")
    (company.root / "inbox" / "contacts.csv").write_text(
        f"contact_id,updated_at,email\n77,{erasures.AT},{spelled}\n5,{erasures.AT},b@bücher.example\n", encoding="utf-8"
    )
    manifest = landing.land(company.settings, "shop", "contacts", NEXT)
    assert (company.keys("contacts", NEXT), manifest.erased) == ({"5"}, 1)


def test_the_same_hash_in_sql_and_in_python(company):
    company.erase()
    with duckdb.connect() as con:
        hashes.create_macro(con, hashes.key(company.settings))
        hashed = con.execute("select keyed('phone' || chr(31) || ?)", [PHONE]).fetchone()[0]
    assert ("phone", hashed) in tombstones.read(company.settings).tombstones


def test_without_its_key_nothing_lands(company):
    company.erase()
    hashes.file(company.settings).unlink()
    with pytest.raises(hashes.KeyLost, match="put it back"):
        landing.land(company.settings, "shop", "contacts", NEXT)


def test_a_person_may_come_back(company):
    company.erase()
    values = [("email", (ADDRESS,))]
    assert tombstones.lift(company.settings, values) > 0
    company.land(NEXT)
    assert "007" in company.keys("contacts", NEXT)
    assert tombstones.lift(company.settings, values) == 0


def test_no_tombstone_says_who_it_is_of(company):
    company.erase()
    said = json.dumps(sorted(tombstones.read(company.settings).tombstones))
    assert {word for word in (ADDRESS, PHONE, "007", "A-1", "browser-ani") if f'"{word}"' in said} == set()
    assert hashes.file(company.settings).stat().st_mode & 0o777 == 0o600


def place(company, entity, day=DAY):
    return landing.folder(company.settings, entity, "shop", day)
