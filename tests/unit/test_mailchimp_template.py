"""The `mailchimp` template, through landing, against an audience: nobody's no is lost, and no yes is made up."""

from __future__ import annotations

from datetime import date

import pytest

from tangga.landing.normalise import hashed_id
from tests.fakes.mailchimp import Mailchimp
from tests.unit.apis import faults, utc

LIST = {"list_id": "a1b2c3d4e5"}
SMALL_PAGES = {"settings": LIST, "paging": {"size": 2}}

JOINED = "2025-06-01T02:00:00+00:00"
SENT = "2026-03-10T03:00:00+00:00"
LATER = "2026-03-10T05:30:00+00:00"
YESTERDAY = "2026-03-09T05:30:00+00:00"
LONG_AGO = "2026-01-10T03:00:00+00:00"


@pytest.fixture
def tool():
    with Mailchimp() as tool:
        yield tool


@pytest.fixture
def mailchimp(tool, by_template):
    return by_template("mailchimp", tool, **SMALL_PAGES)


def crowd(tool) -> dict[str, dict]:
    """One of each status, and awkward addresses."""
    merge = {
        "FNAME": "Zoë 🎉", "LNAME": "O'Brien", "PHONE": "0812-3456-7890",
        "ADDRESS": {"addr1": "Jl. 1", "city": "Jakarta", "state": "", "zip": "00123", "country": "ID"},
    }  # fmt: skip
    members = {
        "yes": tool.add_member("Ani+news@Example.com", at=JOINED, merge_fields=merge, language="id"),
        "no": tool.add_member("o'brien@example.com", at=JOINED),
        "dead": tool.add_member("dead@example.com", at=JOINED),
        "gone": tool.add_member("gone@example.com", at=JOINED),
        "waiting": tool.add_member("waiting@example.com", "pending", at=JOINED),
        "buyer": tool.add_member("buyer@example.com", "transactional", at=JOINED),
        "back": tool.add_member("back@example.com", at=LATER, language="pt_BR", location={"country_code": "BR"}),
    }
    tool.change(members["no"], "unsubscribed", LATER)
    tool.change(members["dead"], "cleaned", LATER)
    tool.change(members["gone"], "archived", LATER)
    return members


def key(member: dict) -> str:
    return hashed_id(member["email_address"])


# ---- consents


def landed_consents(found) -> list[tuple]:
    return sorted(found.rows("contact_id", "email", "channel", "status", "status_at"))


def expected_consents(members: dict[str, dict]) -> list[tuple]:
    said = {
        "yes": ("granted", JOINED), "no": ("revoked", LATER), "dead": ("revoked", LATER), "gone": ("revoked", LATER),
        "waiting": ("denied", JOINED), "back": ("granted", LATER),
    }  # fmt: skip
    return sorted(
        (key(members[name]), members[name]["email_address"].lower(), "email", status, utc(at))
        for name, (status, at) in said.items()
    )


def test_consents_are_a_mirror_of_the_audience(tool, mailchimp):
    members = crowd(tool)
    found = mailchimp.land("consents")
    assert landed_consents(found) == expected_consents(members)
    assert found.rejects == []
    assert dict(found.rows("status", "ip"))["granted"] == "203.0.113.7"
    assert dict(found.rows("status", "ip"))["revoked"] is None
    offsets = [asked.query["offset"] for asked in tool.asked if "status" not in asked.query]
    assert offsets == ["0", "2", "4"]


@faults
def test_faults_amid_the_pages_lose_no_refusal(tool, mailchimp, fault):
    members = crowd(tool)
    fault(tool)
    assert landed_consents(mailchimp.land("consents")) == expected_consents(members)


@pytest.mark.parametrize("status", [429, 503])
def test_an_answer_without_a_body_is_no_empty_audience(tool, mailchimp, status):
    crowd(tool)
    tool.faults.next(status, times=9)
    assert str(status) in mailchimp.refused("consents")


def test_a_status_that_nobody_knows_is_not_taken_for_a_yes(tool, mailchimp):
    tool.add_member("ani@example.com", "paused")
    found = mailchimp.land("consents")
    assert found.rows("contact_id") == []
    assert [reason for _, _, reason in found.rejects] == ["status is not one of granted, denied, revoked"]
    assert found.manifest.reject_share > found.settings.sources["tool"].entities["consents"].max_reject_share == 0


def test_a_yes_whose_time_is_unknown_counts_from_what_is_known(tool, mailchimp):
    by_hand = tool.add_member("a@example.com", at=LATER, timestamp_opt="", timestamp_signup=JOINED)
    imported = tool.add_member("b@example.com", at=LATER, timestamp_opt="", timestamp_signup="")
    found = dict(mailchimp.land("consents").rows("contact_id", "status_at"))
    assert found == {key(by_hand): utc(JOINED), key(imported): utc(LATER)}


def test_another_audience_or_key_is_refused(tool, mailchimp):
    crowd(tool)
    assert "404" in mailchimp.refused("consents", settings={"list_id": "ffffffffff"})
    tool.token = "another-us6"
    assert "401" in mailchimp.refused("consents")


# ---- contacts


def test_members_land_as_contacts(tool, mailchimp):
    members = crowd(tool)
    found = mailchimp.land("contacts", spec={"look_back_days": 3650})
    assert set(found.column("contact_id")) == {key(member) for member in members.values()}
    people = {row[0]: row[1:] for row in found.rows(
        "contact_id", "email", "first_name", "last_name", "phone", "city", "country", "language", "signup_at"
    )}  # fmt: skip
    assert people[key(members["yes"])] == (
        "ani+news@example.com", "Zoë 🎉", "O'Brien", "+6281234567890", "Jakarta", "ID", "id", utc(JOINED)
    )  # fmt: skip
    assert people[key(members["back"])] == ("back@example.com", None, None, None, None, "BR", "pt", utc(LATER))
    assert people[key(members["waiting"])][-1] is None
    assert found.rejects == []


def test_a_day_has_the_members_that_changed_in_it(tool, mailchimp):
    members = crowd(tool)
    tool.change(members["yes"], "subscribed", "2026-03-10T17:00:01+00:00")
    tool.change(members["waiting"], "subscribed", "2026-03-09T16:59:59+00:00")
    found = mailchimp.land("contacts", spec={"look_back_days": 0})
    assert set(found.column("contact_id")) == {key(members[name]) for name in ("no", "dead", "gone", "back")}
    assert mailchimp.land("contacts", date(2026, 3, 11), {"look_back_days": 0}).column("contact_id") == [
        key(members["yes"])
    ]


# ---- messages


def told(tool) -> set[tuple]:
    """A campaign of the day with everything that can happen, and what is to land of it."""
    names = ("reader", "clicker", "dead", "full", "leaver", "angry", "quiet")
    reader, clicker, dead, full, leaver, angry, quiet = (tool.add_member(f"{n}@example.com", at=JOINED) for n in names)
    everybody = reader, clicker, dead, full, leaver, angry, quiet
    march = tool.add_campaign("March ☕ 'coffee'", SENT, *everybody)
    tool.act(march, reader, "open", LATER, ip="203.0.113.7")
    tool.act(march, clicker, "open", LATER)
    tool.act(march, clicker, "click", LATER, url="https://shop.example/coffee")
    tool.act(march, dead, "bounce", LATER, type="hard")
    tool.act(march, full, "bounce", LATER, type="soft")
    tool.unsubscribe(march, leaver, LATER)
    tool.complain(march, angry, LATER)
    tool.add_campaign("draft", None, reader)
    tool.add_campaign("another audience", SENT, reader, list_id="ffffffffff")
    title = march["settings"]["title"]

    def row(member: dict, event: str, at: str, campaign: str | None = title, message: str = march["id"]) -> tuple:
        return (f"{message}:{member['id']}", key(member), event, utc(at), campaign)

    return {
        *(row(member, "sent", SENT) for member in everybody),
        *(row(member, "delivered", SENT) for member in everybody if member not in (dead, full)),
        row(reader, "opened", LATER),
        row(clicker, "opened", LATER),
        row(clicker, "clicked", LATER),
        row(dead, "bounced", LATER),
        row(dead, "bounced", LATER, None, "cleaned"),
        row(leaver, "unsubscribed", LATER),
        row(angry, "complained", LATER, None),
    }


def landed_messages(found) -> set[tuple]:
    rows = found.rows("message_id", "contact_id", "event", "occurred_at", "campaign")
    assert len(set(rows)) == len(rows)
    return set(rows)


def test_what_happened_to_a_campaign(tool, mailchimp):
    expected = told(tool)
    found = mailchimp.land("messages")
    assert landed_messages(found) == expected
    assert set(found.column("channel")) == {"email"}
    assert found.rejects == []


@faults
def test_faults_amid_the_reports_lose_no_bounce(tool, mailchimp, fault):
    expected = told(tool)
    fault(tool)
    assert landed_messages(mailchimp.land("messages")) == expected


def test_a_member_that_mailchimp_cleaned_comes_as_bounced(tool, mailchimp):
    member = tool.add_member("dead@example.com", "cleaned", at=LONG_AGO)
    assert mailchimp.land("messages").rows("contact_id", "event", "occurred_at") == [
        (key(member), "bounced", utc(LONG_AGO))
    ]


def test_what_happens_to_an_old_campaign_lands_on_its_day(tool, mailchimp):
    ani, budi = tool.add_member("ani@example.com"), tool.add_member("budi@example.com")
    old = tool.add_campaign("January", LONG_AGO, ani, budi)
    tool.act(old, ani, "open", "2026-01-11T03:00:00+00:00")
    tool.act(old, ani, "click", LATER)
    tool.unsubscribe(old, budi, YESTERDAY)
    found = mailchimp.land("messages")
    assert sorted(found.rows("event", "occurred_at")) == [("clicked", utc(LATER)), ("unsubscribed", utc(YESTERDAY))]
    assert mailchimp.land("messages", settings=LIST | {"campaigns_since": "2026-02-01T00:00:00Z"}).manifest.rows == 0
    assert set(mailchimp.land("messages", date(2026, 1, 10)).column("event")) == {
        "sent", "delivered", "opened", "clicked", "unsubscribed"
    }  # fmt: skip


def test_an_empty_audience(tool, mailchimp):
    assert mailchimp.land("messages").manifest.rows == 0
    assert mailchimp.land("consents").manifest.rows == 0
