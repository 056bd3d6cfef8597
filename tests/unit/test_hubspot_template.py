"""The `hubspot` template, through landing, against a portal."""

from __future__ import annotations

from datetime import date

import pytest

from tests.fakes.hubspot import HubSpot
from tests.unit.apis import faults, utc

JOINED = "2025-06-01T02:00:00.000Z"
LATER = "2026-03-10T05:30:00.123Z"


@pytest.fixture
def portal():
    with HubSpot(max_page=2, requests=10_000) as portal:
        yield portal


@pytest.fixture
def hubspot(portal, by_template):
    return by_template("hubspot", portal)


def people(portal) -> dict[str, dict]:
    contacts = {
        "ani": portal.add_contact(
            "Ani+crm@example.com", JOINED, firstname="Ani 🎉", lastname="O'Brien", mobilephone="0812-3456-7890",
            phone="021 555", city="Jakarta", hs_country_region_code="id", hs_language="id-id",
            date_of_birth="1990-02-28", jobtitle="Guru", hs_analytics_source="PAID_SOCIAL", hs_email_optout="false",
        ),
        "budi": portal.add_contact("budi@example.com", JOINED, hs_email_optout="true"),
        "nobody": portal.add_contact(None, JOINED, mobilephone="", phone="+6281234567890"),
        "back": portal.add_contact("back@example.com", JOINED, hs_email_optout="true"),
        "late": portal.add_contact("late@example.com", JOINED),
        "gone": portal.add_contact("gone@example.com", JOINED, hs_email_optout="true"),
        "forgotten": portal.add_contact("forgotten@example.com", JOINED),
    }  # fmt: skip
    portal.change(contacts["back"], LATER, hs_email_optout="false")
    portal.change(contacts["late"], LATER, hs_email_optout="true")
    portal.archive(contacts["gone"], LATER)
    portal.archive(contacts["forgotten"], LATER)
    return contacts


def test_contacts_land_without_the_deleted_ones(portal, hubspot):
    contacts = people(portal)
    found = hubspot.land("contacts")
    columns = "contact_id", "email", "phone", "first_name", "last_name", "city", "country", "language", "updated_at"
    known = {row[0]: row[1:] for row in found.rows(*columns)}
    assert set(known) == {contacts[name]["id"] for name in ("ani", "budi", "nobody", "back", "late")}
    assert known[contacts["ani"]["id"]] == (
        "ani+crm@example.com", "+6281234567890", "Ani 🎉", "O'Brien", "Jakarta", "ID", "id", utc(JOINED)
    )  # fmt: skip
    assert known[contacts["nobody"]["id"]][:2] == (None, "+6281234567890")
    assert known[contacts["late"]["id"]][-1] == utc(JOINED)
    (ani,) = [row for row in found.rows("contact_id", "birth_date", "occupation", "acquisition_channel", "signup_at")
              if row[0] == contacts["ani"]["id"]]  # fmt: skip
    assert ani[1:] == (date(1990, 2, 28), "Guru", "paid_social", utc(JOINED))
    assert found.rejects == []
    assert len(portal.asked) == 3


def refusals(contacts: dict[str, dict]) -> list[tuple]:
    at = {"budi": JOINED, "late": LATER, "gone": JOINED}
    return sorted((contacts[name]["id"], "email", "revoked", utc(moment)) for name, moment in at.items())


def test_who_opted_out_is_told_also_when_deleted_and_nobody_is_said_to_have_agreed(portal, hubspot):
    contacts = people(portal)
    found = hubspot.land("consents")
    assert sorted(found.rows("contact_id", "channel", "status", "status_at")) == refusals(contacts)


@faults
def test_faults_amid_the_pages_lose_no_refusal(portal, hubspot, fault):
    contacts = people(portal)
    fault(portal)
    found = hubspot.land("consents")
    assert sorted(found.rows("contact_id", "channel", "status", "status_at")) == refusals(contacts)


def test_a_limit_that_is_used_up_for_long_stops_the_run(portal, hubspot):
    people(portal)
    portal.window.size = 2
    assert "429" in hubspot.refused("contacts")


def test_a_portal_where_all_stayed(portal, hubspot):
    portal.add_contact("ani@example.com")
    assert hubspot.land("consents").manifest.rows == 0
