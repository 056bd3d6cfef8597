"""Trouble comes as ordered, and what a careless client loses by it, doubles or gives away is seen."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.fakes.faults import BAD_LUCK
from tests.fakes.mailchimp_rules import md5
from tests.fakes.mailchimp_writing import MailchimpAccount

ANI = {"email_address": "ani@example.com", "status_if_new": "subscribed"}
BUDI = {"email_address": "budi@example.com", "status_if_new": "subscribed"}
PUT = "PUT .*/members/"


@pytest.fixture
def tool():
    with MailchimpAccount() as tool:
        yield tool


@pytest.fixture
def client(tool):
    with httpx.Client(base_url=f"{tool.url}/3.0", auth=("key", tool.token), timeout=1) as client:
        yield client


def put(tool, client, member: dict, **options) -> httpx.Response:
    return client.put(f"/lists/{tool.list_id}/members/{md5(member['email_address'])}", json=member, **options)


def test_after_the_work_is_done_nobody_may_hear_of_it(tool, client):
    tool.faults.cut(only=PUT)
    tool.faults.silent(only=PUT)
    assert client.get("/ping").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        put(tool, client, ANI)
    begun = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        put(tool, client, BUDI)
    assert time.monotonic() - begun < 3
    assert tool.effects.of("created") == ["ani@example.com", "budi@example.com"]
    assert put(tool, client, ANI).status_code == 200
    assert tool.effects.doubled("created") == {}
    assert tool.faults.met == ["cut", "silent"]


def test_a_connection_that_is_dropped_first_leaves_no_trace(tool, client):
    tool.faults.drop(only=PUT)
    with pytest.raises(httpx.RemoteProtocolError):
        put(tool, client, ANI)
    assert (tool.members, list(tool.effects)) == ({}, [])


def test_poison_spoils_every_request_that_holds_it(tool, client):
    tool.faults.poison("budi@example.com")
    assert put(tool, client, ANI).status_code == 200
    assert [put(tool, client, BUDI).status_code for _ in range(2)] == [400, 400]
    assert put(tool, client, BUDI).json()["title"] == "Invalid Resource"
    tool.faults.calm()
    assert put(tool, client, BUDI).status_code == 200


@pytest.mark.parametrize("status", [302, 307])
def test_a_key_that_is_carried_to_another_host_is_noticed(tool, client, status):
    tool.faults.redirect(f"{tool.elsewhere.url}/3.0/ping", status)
    assert client.get("/ping").status_code == status
    assert tool.elsewhere.asked == []
    httpx.get(f"{tool.elsewhere.url}/3.0/ping", headers={"Authorization": f"Bearer {tool.token}"})
    assert tool.elsewhere.credentials == [f"Bearer {tool.token}"]


def test_things_happen_in_the_middle_of_a_run(tool, client):
    tool.add_member("ani@example.com")
    tool.add_member("budi@example.com")
    tool.faults.when(PUT, lambda: tool.leaves("budi@example.com"), after=1)
    tool.faults.when(PUT, lambda: tool.leaves("ani@example.com"), committed=True)
    assert put(tool, client, ANI).json()["status"] == "subscribed"
    assert tool.member("ani@example.com")["status"] == "unsubscribed"
    assert tool.member("budi@example.com")["status"] == "subscribed"
    assert put(tool, client, BUDI).json()["status"] == "unsubscribed"
    assert [(one.kind, one.who, one.by) for one in tool.effects] == [
        ("unsubscribed", "ani@example.com", "person"),
        ("unsubscribed", "budi@example.com", "person"),
    ]
    assert tool.effects.of("unsubscribed") == []


def test_a_key_stops_working_from_some_moment_on(tool, client):
    tool.revoke(after=2)
    assert [client.get("/ping").status_code for _ in range(4)] == [200, 200, 401, 401]


def test_a_storm_is_made_of_answers_without_a_body(tool, client):
    tool.faults.storm(seed=1, share=1.0)
    answers = [client.get("/ping") for _ in range(30)]
    assert {(one.status_code, one.headers.get("Retry-After"), one.content) for one in answers} == {
        (429, None, b""), (429, "1", b""), (503, None, b""),
    }  # fmt: skip
    tool.faults.calm()
    assert client.get("/ping").status_code == 200


def test_chance_is_the_same_for_the_same_seed(tool, client):
    kinds = [kind for kind in BAD_LUCK if kind != "silent"]

    def meet(seed: int) -> list[str]:
        tool.faults.met.clear()
        tool.faults.mixture(seed, 0.3, kinds)
        for _ in range(60):
            try:
                client.get("/ping")
            except httpx.HTTPError:
                continue
        return list(tool.faults.met)

    first = meet(7)
    assert first == meet(7) != meet(8)
    assert 8 <= len(first) <= 30
    assert {"cut", "drop", "truncated"} <= set(first)


def test_every_answer_takes_its_time(tool, client):
    tool.faults.latency = 0.05
    begun = time.monotonic()
    for _ in range(4):
        client.get("/ping")
    assert 0.2 <= time.monotonic() - begun < 1


def test_what_was_asked_can_be_read_again(tool, client):
    put(tool, client, ANI)
    assert [(asked.method, asked.json()) for asked in tool.asked] == [("PUT", ANI)]
