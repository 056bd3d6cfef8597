"""REST sources: what lands of an API's answers, as a real server gives them, and what is refused."""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import pytest
import yaml

from tangga import http, landing
from tangga.engine import scratch
from tangga.settings import REPOSITORY, Settings
from tangga.sources import connections, rest, rest_address, rest_rows
from tangga.sources.connections import Connection
from tangga.sources.records import MAX_FIELD, SourceDown, SourceRefused
from tangga.sources.relations import Reading
from tests.unit.inbox import BUSINESS, DAY, Inbox, Landed
from tests.unit.web_api import SECRET, Asked, Reply, WebApi

AT = "2026-03-01T10:00:00Z"
WHERE = "shop, contacts (connection 'shop_api')"


def person(number: int, **rest) -> dict:
    return {"contact_id": number, "updated_at": AT} | rest


def people(first: int, last: int, **rest) -> list[dict]:
    return [person(number, **rest) for number in range(first, last + 1)]


def ids(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


@dataclass
class Shop:
    """A company whose contacts an API gives. `connection` is how Airflow knows it."""

    inbox: Inbox
    api: WebApi
    connection: Connection = field(init=False)

    def __post_init__(self):
        self.connection = Connection("shop_api", "http", host=self.api.url, user="ani", password=SECRET)

    def settings(
        self, request: dict | None = None, entity: str = "contacts", spec: dict | None = None, **source
    ) -> Settings:
        """`request` and `spec` are added to what is asked by default: /people, a list at `people`, no paging."""
        spec = spec or {}
        if "requests" not in spec:
            spec = {"request": {"path": "people", "records": "people"} | (request or {})} | spec
        block = {"type": "rest", "connection": "shop_api", "auth": {"type": "bearer"}, "paging": {"type": "none"}}
        return self.inbox.settings(entity, sources={"shop": block | {"entities": {entity: spec}} | source})

    def land(self, request: dict | None = None, entity: str = "contacts", day: date = DAY, **rest) -> Landed:
        known = self.settings(request, entity, **rest)
        return Landed(known, landing.land(known, "shop", entity, day))

    def refused(self, request: dict | None = None, kind: type = SourceRefused, **rest) -> str:
        before = self.inbox.tree()
        with pytest.raises(SourceRefused) as error:
            self.land(request, **rest)
        assert type(error.value) is kind
        assert self.inbox.tree() == before
        message = str(error.value)
        assert "\n" not in message
        assert message.endswith(".")
        assert SECRET not in message
        return message.removeprefix(f"{WHERE}, path 'people': ")


@pytest.fixture
def shop(inbox, api, monkeypatch) -> Shop:
    shop = Shop(inbox, api)
    monkeypatch.setattr(connections, "resolve", lambda connection_id: shop.connection)
    monkeypatch.setattr(http, "BACKOFF", (0.0, 0.0))
    return shop


# ---- records


def test_records_are_rows(shop):
    shop.api.answer = {"people": [person(1, first_name="Ani"), person(2, first_name=None), person(3)]}
    result = shop.land()
    assert result.rows("contact_id", "first_name") == [("1", "Ani"), ("2", None), ("3", None)]
    assert result.column("updated_at") == [datetime(2026, 3, 1, 10)] * 3
    assert set(result.rows("_file", "_source", "namespace")) == {("people", "shop", "shop")}
    assert result.column("_line") == [1, 2, 3]
    (asked,) = shop.api.asked
    assert (asked.path, asked.query) == ("/people", {})
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


def test_values_are_exactly_as_they_were_written(shop):
    shop.api.answer = (
        b'[{"contact_id": 12345678901234567890123, "updated_at": "2026-03-01T10:00:00Z", "first_name": 1.10,'
        b'"last_name": 1e400, "city": true, "country": null, "interests": {"b": [1.0, "x"], "a": "\\u00e9"}}]'
    )
    row = shop.land({"records": ""}).rows("contact_id", "first_name", "last_name", "city", "country", "interests")
    assert row == [("12345678901234567890123", "1.10", "1e400", "true", None, '{"a":"é","b":[1.0,"x"]}')]


@pytest.mark.parametrize("path", ["data.items", "data.page.rows", "@odata.value", "a.b"])
def test_lists_at_dotted_paths_and_below_keys_with_dots(shop, path):
    people = [person(1)]
    shop.api.answer = {"data": {"items": people, "page": {"rows": people}}, "@odata.value": people, "a": {"b": people}}
    assert shop.land({"records": path}).column("contact_id") == ["1"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "its answer has no list at 'people'"),
        ({"People": []}, "its answer has no list at 'people'"),
        ({"people": None}, "its answer has no list at 'people'"),
        ({"people": {}}, "its answer has no list at 'people'"),
        ([], "its answer has no list at 'people'"),
        ({"error": "invalid_token", "email": "ani@example.com"}, "its answer has no list at 'people'"),
        (b"", "answered 200 with what is not JSON"),
        (b"<html><p>ani@example.com</p></html>", "answered 200 with what is not JSON"),
        (b'{"people": [{"contact_id": "ani@exam', "answered 200 with what is not JSON"),
        (b'{"people": []}{"people": []}', "answered 200 with what is not JSON"),
        (b'{"people": [{"contact_id": NaN}]}', "answered 200 with what is not JSON"),
        (b"\xff\xfe{\x00}\x00", "answered 200 with what is not JSON"),
        (b'{"people":' + b"[" * 100_000, "answered 200 with what is not JSON"),
        (Reply(b"", status=204), "answered 204 with what is not JSON"),
    ],
)
def test_an_answer_without_the_list_is_refused(shop, answer, said):
    shop.api.answer = answer
    message = shop.refused()
    assert message.startswith(f"{said}; correct '")
    assert "ani@" not in message


def test_a_whole_answer_must_be_the_list_when_so_said(shop):
    shop.api.answer = {"people": []}
    assert shop.refused({"records": ""}) == "its answer is no list; correct 'records' in tangga.yml."


def test_a_byte_order_mark_is_none_of_the_answer(shop):
    shop.api.answer = b"\xef\xbb\xbf" + json.dumps({"people": people(1, 1)}).encode()
    assert shop.land().column("contact_id") == ["1"]


def test_records_that_cannot_be_used_are_rejected_and_the_rest_lands(shop):
    shop.api.answer = (
        b'{"people": [7, null, [1], {"contact_id": "1", "updated_at": "2026-03-01", "city": "\\ud83d\\ude00"},'
        b'{"contact_id": "2\\u0000"}, {"contact_id": "3", "city": "\\ud83d"}, {"contact_id": "4", "Contact_ID": "4"},'
        b'{"contact_id": "5", "city": "Kudus \xff"}, {"contact_id": "6", "city": "%s"}, {"contact_id": "7"}]}'
        % (b"x" * (MAX_FIELD + 1))
    )
    result = shop.land(spec={"max_reject_share": 1})
    assert result.rows("contact_id", "city") == [("1", "😀")]
    assert sorted(result.rejects) == [
        ("people", 0, "the record has a field larger than 1048576 characters"),
        *[("people", 0, "the record has an escape that is not a character")] * 3,
        *[("people", 0, "the record is not a JSON object")] * 3,
        ("people", 0, "the record names a key twice"),
        ("people", 2, "updated_at is missing"),
    ]


def test_an_escape_that_is_no_character_is_found_in_an_answer_that_is_otherwise_sound(shop):
    shop.api.answer = {"people": [person(1, city="a\ud800"), person(2, city="\u00e9")]}
    result = shop.land(spec={"max_reject_share": 1})
    assert result.rows("contact_id", "city") == [("2", "é")]
    assert result.faults == [(0, "the record has an escape that is not a character")]


def test_an_empty_list_lands_no_rows(shop):
    shop.api.answer = {"people": []}
    result = shop.land(spec={"columns": {"email": "mail"}})
    assert result.rows("contact_id") == []
    assert result.manifest.columns["updated_at"] == "TIMESTAMP"


@pytest.mark.parametrize(
    ("request_", "spec", "lacking"),
    [
        ({}, {}, "updated_at"),
        ({}, {"columns": {"updated_at": "changed", "email": "Mail"}}, "Mail"),
        ({"optional_fields": ["updated_at"]}, {}, "updated_at"),
        ({"fields": ["changed", "state"]}, {"columns": {"updated_at": "changed"}}, "state"),
        ({"fields": ["state"]}, {"query": "select contact_id, changed as updated_at from file"}, "state"),
    ],
)
def test_a_field_that_no_record_has_is_refused(shop, request_, spec, lacking):
    shop.api.answer = {"people": [{"contact_id": "1", "changed": AT}]}
    assert shop.refused(request_, spec=spec) == (
        f"no record has '{lacking}'; was it renamed? Correct 'columns' or 'fields' in tangga.yml, or name it in "
        "'optional_fields' if the API leaves out what is empty."
    )


def test_fields_that_may_be_left_out(shop):
    shop.api.answer = {"people": [person(1)]}
    result = shop.land({"optional_fields": ["Mail"]}, spec={"columns": {"email": "mail"}})
    assert result.rows("contact_id", "email") == [("1", None)]


def test_the_same_records_are_the_same_bytes_in_whatever_order_they_come(shop):
    records = [person(n % 40, first_name=f"N{n}", **({"city": "Kudus"} if n % 3 else {})) for n in range(100)]
    paging = {"type": "page", "size": 7}

    def answer(asked: Asked) -> dict:
        start = 7 * (int(asked["page"]) - 1)
        return {"people": records[start : start + 7]}

    shop.api.answer = answer
    shop.land({"paging": paging})
    before = shop.inbox.tree()
    assert before
    for seed in (1, 2):
        random.Random(seed).shuffle(records)
        records[:] = [dict(sorted(record.items(), reverse=bool(seed % 2))) for record in records]
        shop.land({"paging": paging})
        assert shop.inbox.tree() == before


def test_a_record_that_comes_on_two_pages_counts_once(shop):
    shop.api.answer = lambda asked: {"people": people(1, 3) if asked["page"] == "1" else people(3, 4)}
    result = shop.land({"paging": {"type": "page", "size": 3}})
    assert (result.column("contact_id"), result.manifest.repeated) == (ids(1, 4), 1)


def test_records_are_written_down_in_batches(shop, monkeypatch):
    monkeypatch.setattr(rest_rows, "BATCH_ROWS", 4)
    shop.api.answer = lambda asked: {"people": people(*{"1": (1, 3), "2": (4, 6), "3": (7, 8)}[asked["page"]])}
    assert shop.land({"paging": {"type": "page", "size": 3}}).column("contact_id") == ids(1, 8)


# ---- pages


def cut(asked: Asked, total: int, size: int, at: int) -> list[dict]:
    return people(at + 1, min(at + size, total))


def linked(asked: Asked) -> Reply:
    at = int(asked["at"] or 0)
    more = {"Link": f'</people?at={at + 3}&limit=3>; rel="next", </people>; rel="first"'} if at < 6 else {}
    return Reply({"people": cut(asked, 8, 3, at)}, headers=more)


def addressed(asked: Asked) -> dict:
    at = int(asked["at"] or 0)
    links = {0: f"http://{asked.headers['host']}/people?at=3", 3: "people?at=6", 6: None}
    return {"people": cut(asked, 8, 3, at), "links": {"next": links[at]}}


def by_cursor(asked: Asked) -> dict:
    at = int(asked["after"] or 0)
    return {"people": cut(asked, 8, 3, at)} | ({"paging": {"next": {"after": at + 3}}} if at < 6 else {})


def by_last(asked: Asked) -> dict:
    at = int(asked["after"] or 0)
    return {"people": cut(asked, 8, 3, at), "has_more": at < 6, "end": at >= 6, "cursor": "same for ever"}


def by_page(asked: Asked) -> dict:
    return {"people": cut(asked, 8, 3, 3 * (int(asked["page"]) - 1)), "count": 8}


def by_offset(asked: Asked) -> dict:
    return {"people": cut(asked, 8, 3, int(asked["offset"])), "count": 8}


FROM_LAST = {"type": "cursor", "param": "after", "from_last": "contact_id"}
PAGINGS = {
    "link_header": (linked, {"type": "link_header"}, 3),
    "next_url": (addressed, {"type": "next_url", "path": "links.next"}, 3),
    "cursor": (by_cursor, {"type": "cursor", "param": "after", "path": "paging.next.after"}, 3),
    "last record": (by_last, FROM_LAST, 4),
    "last record, more": (by_last, FROM_LAST | {"more": "has_more"}, 3),
    "last record, done": (by_last, FROM_LAST | {"done": "end"}, 3),
    "page": (by_page, {"type": "page"}, 4),
    "page, size": (by_page, {"type": "page", "size_param": "per_page", "size": 3}, 3),
    "page, total": (by_page, {"type": "page", "size_param": "per_page", "size": 100, "total": "count"}, 3),
    "offset": (by_offset, {"type": "offset"}, 4),
    "offset, total": (by_offset, {"type": "offset", "size_param": "count", "size": 100, "total": "count"}, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGINGS)
def test_all_pages_are_read(shop, name):
    shop.api.answer, paging, calls = PAGINGS[name]
    result = shop.land({"paging": paging, "params": {"status": "any"}})
    assert result.column("contact_id") == ids(1, 8)
    assert result.manifest.repeated == 0
    assert len(shop.api.asked) == calls
    follows_links = paging["type"] in ("link_header", "next_url")
    assert {asked["status"] for asked in shop.api.asked[1:]} == ({None} if follows_links else {"any"})
    if "size_param" in paging:
        assert {asked[paging["size_param"]] for asked in shop.api.asked} == {str(paging["size"])}
    assert len({asked.peer for asked in shop.api.asked}) == 1


def test_first_page_and_paging_of_the_source(shop):
    shop.api.answer = lambda asked: {"people": people(1, 2) if asked["p"] == "0" else []}
    assert shop.land(paging={"type": "page", "param": "p", "first": 0}).column("contact_id") == ids(1, 2)
    assert [asked["p"] for asked in shop.api.asked] == ["0", "1"]


@pytest.mark.parametrize("paging", [{"type": "link_header"}, {"type": "next_url", "path": "next"}])
def test_an_empty_page_does_not_end_what_has_a_next_one(shop, paging):
    next_page = {"next": "/people?at=2"}
    first = Reply({"people": []} | next_page, headers={"Link": '</people?at=2>; rel="next"'})
    shop.api.answer = lambda asked: {"people": people(1, 1)} if asked["at"] else first
    assert shop.land({"paging": paging}).column("contact_id") == ["1"]


def test_an_empty_day_of_each_kind_of_paging(shop):
    shop.api.answer = {"people": [], "count": 0, "has_more": False, "end": True}
    for _, paging, _ in PAGINGS.values():
        assert shop.land({"paging": paging}).manifest.rows == 0
    assert len(shop.api.asked) == len(PAGINGS)


SAME = "gives the same page twice; correct 'param' of 'paging', or page in another way."
ENDLESS = "leads to a page that was read already, and would never end; correct 'paging'."


@pytest.mark.parametrize(
    ("answer", "paging", "said"),
    [
        (Reply({"people": []}, headers={"Link": '</people?x=1>; rel="next"'}), {"type": "link_header"}, ENDLESS),
        ({"people": [], "next": "?x=1"}, {"type": "next_url", "path": "next"}, ENDLESS),
        ({"people": people(1, 2), "c": 7}, {"type": "cursor", "param": "after", "path": "c"}, ENDLESS),
        ({"people": people(1, 2)}, {"type": "cursor", "param": "after", "from_last": "contact_id"}, ENDLESS),
        ({"people": people(1, 2)}, {"type": "page"}, SAME),
        ({"people": people(1, 2)}, {"type": "offset"}, SAME),
        ({"people": people(1, 2), "next": {"a": 1}}, {"type": "next_url", "path": "next"},
         "its answer has neither text nor number at 'next'; correct 'paging'."),
        ({"people": people(1, 2), "c": True}, {"type": "cursor", "param": "after", "path": "c"},
         "its answer has neither text nor number at 'c'; correct 'paging'."),
        ({"people": people(1, 2), "more": True}, {"type": "cursor", "param": "after", "path": "c", "more": "more"},
         "has more pages but no cursor at 'c'; correct 'paging'."),
        ({"people": [], "done": False}, {"type": "cursor", "param": "after", "from_last": "id", "done": "done"},
         "has more pages but no cursor at 'id'; correct 'paging'."),
        ({"people": people(1, 2)}, {"type": "cursor", "param": "after", "from_last": "id"},
         "has more pages but no cursor at 'id'; correct 'paging'."),
        ({"people": people(1, 2), "more": "yes"}, {"type": "cursor", "param": "a", "path": "c", "more": "more"},
         "its answer has neither true nor false at 'more'; correct 'paging'."),
        ({"people": people(1, 2)}, {"type": "cursor", "param": "a", "path": "c", "done": "done"},
         "its answer has neither true nor false at 'done'; correct 'paging'."),
        ({"people": people(1, 2)}, {"type": "offset", "total": "total"},
         "its answer has no number at 'total'; correct 'paging'."),
        ({"people": people(1, 2), "total": 2.5}, {"type": "page", "total": "total"},
         "its answer has no number at 'total'; correct 'paging'."),
        ({"people": [], "total": 10_000}, {"type": "offset", "total": "total"},
         "gives an empty page after 0 of 10000 records; ask for less, or page in another way."),
        (Reply({"people": people(1, 2)}, headers={"Link": '</people?page=2>; rel="next"'}), {"type": "none"},
         "has a next page, as its Link header says; use 'paging: {type: link_header}'."),
    ],
)  # fmt: skip
def test_pages_that_are_not_as_said_are_refused(shop, answer, paging, said):
    shop.api.answer = answer
    assert shop.refused({"paging": paging}) == said


@pytest.mark.parametrize(
    "where", ["http://localhost:{port}/people", "//localhost:{port}/people", "http://127.0.0.1:1/"]
)
@pytest.mark.parametrize("kind", ["link_header", "next_url"])
def test_a_next_page_elsewhere_is_refused_and_not_asked(shop, where, kind):
    address = where.format(port=shop.api.url.rsplit(":")[-1])
    shop.api.answer = Reply({"people": [], "next": address}, headers={"Link": f'<{address}>; rel="next"'})
    paging = {"type": kind} | ({"path": "next"} if kind == "next_url" else {})
    assert shop.refused({"paging": paging}).startswith(
        "leads to another host or scheme, where the credentials must not"
    )
    assert len(shop.api.asked) == 1


def test_pages_that_never_end_are_given_up_at_the_deadline(shop):
    shop.api.answer = lambda asked: Reply({"people": [], "c": len(shop.api.asked)}, delay=0.05)
    message = shop.refused(
        {"paging": {"type": "cursor", "param": "after", "path": "c"}}, kind=SourceDown, deadline_seconds=1
    )
    assert "deadline_seconds" in message
    assert 1 < len(shop.api.asked) <= 21


# ---- what is asked


def test_a_day_is_that_of_the_business(shop):
    params = {"from": "{begin}", "to": "{end}", "between": "{begin_unix}..{end_unix}", "day": "{ds}"}
    shop.api.answer = {"people": people(1, 1)}
    spec = {"load": "daily", "look_back_days": 2}
    assert shop.land({"params": params}, spec=spec).manifest.load == "daily"
    assert {name: values for name, (values,) in shop.api.asked[0].query.items()} == {
        "from": "2026-03-07T17:00:00Z",
        "to": "2026-03-10T17:00:00Z",
        "between": "1772902800..1773162000",
        "day": "2026-03-10",
    }


@pytest.mark.parametrize(
    ("day", "begin", "end"),
    [
        (date(2026, 3, 29), "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        (date(2026, 10, 25), "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    ],
)
def test_days_of_23_and_25_hours(shop, day, begin, end):
    shop.api.answer = {"people": []}
    known = shop.settings({"params": {"from": "{begin}", "to": "{end}"}}, spec={"load": "daily"})
    business = known.business.model_copy(update={"time_zone": "Europe/Berlin"})
    landing.land(known.model_copy(update={"business": business}), "shop", "contacts", day)
    assert shop.api.asked[0].query == {"from": [begin], "to": [end]}


def test_placeholders_of_the_source_and_the_connection(shop):
    shop.connection = Connection(
        "shop_api",
        "http",
        host=shop.api.url + "/api/",
        password=SECRET,
        extra={"store": "a b/c", "dc": 7, "x": {"y": 1}},
    )
    shop.api.answer = {"people": people(1, 1)}
    source = {"url": "https://{host}/{version}", "settings": {"version": "2026-04", "dc": "us1"}}
    shop.land({"path": "/stores/{store}/people", "params": {"dc": ["{dc}", "{x{dc}"], "ok": True, "n": 5}}, **source)
    (asked,) = shop.api.asked
    assert (asked.path, asked.query) == (
        "/api/2026-04/stores/a%20b%2Fc/people",
        {"dc": ["7", "{x7"], "ok": ["true"], "n": ["5"]},
    )


def test_a_placeholder_that_nothing_fills_is_refused_before_anything_is_asked(shop):
    first = {"path": "people", "records": "people"}
    second = first | {"params": {"since": "{begn}"}}
    spec = {"requests": {"a": first, "b": second}, "query": "select * from a"}
    assert shop.refused(spec=spec) == (
        f"{WHERE}: nothing fills '{{begn}}'; correct it, or put 'begn' under 'settings' in tangga.yml or into the "
        "extra of the connection in Airflow."
    )
    assert "url 'https://{shop}.example.com': nothing fills '{shop}'" in shop.refused(url="https://{shop}.example.com")
    assert shop.api.asked == []


@pytest.mark.parametrize(
    ("auth", "header", "sent"),
    [
        ({"type": "bearer"}, "authorization", f"Bearer {SECRET}"),
        ({"type": "basic"}, "authorization", "Basic YW5pOnMzY3JldC1QYSdzcw=="),
        ({"type": "basic", "username": "büdi"}, "authorization", "Basic YsO8ZGk6czNjcmV0LVBhJ3Nz"),
        ({"type": "header", "name": "X-Shop-Token"}, "x-shop-token", SECRET),
        ({"type": "header", "name": "Authorization", "prefix": "Api-Key"}, "authorization", f"Api-Key {SECRET}"),
        (None, "authorization", None),
    ],
)
def test_ways_to_be_let_in(shop, auth, header, sent):
    shop.api.answer = {"people": people(1, 1)}
    shop.land(auth=auth, headers={"X-Version": 3, "accept": "application/vnd.shop+json"})
    (asked,) = shop.api.asked
    assert asked.headers.get(header) == sent
    assert (asked.headers["x-version"], asked.headers["accept"]) == ("3", "application/vnd.shop+json")


PLAIN = "would send its secret over plain http; use https, or, "
NO_ADDRESS = "with the connection filled in this is no address of an API; correct it, or "


@pytest.mark.parametrize(
    ("connection", "source", "said"),
    [
        ({"password": None}, {}, "the connection has no password, the secret of 'auth'; give it in Airflow."),
        ({"user": None}, {"auth": {"type": "basic"}},
         "the connection has no login; give it in Airflow, or 'username' in 'auth'."),
        ({"password": "s3cret\nX: y"}, {}, "header 'authorization' would have letters that no header can carry; "),
        ({"password": "s3crét"}, {}, "header 'authorization' would have letters that no header can carry; "),
        ({"host": None}, {}, "nothing fills '{host}'; "),
        ({"host": "http://api.example.com"}, {}, PLAIN),
        ({"host": "api.example.com"}, {"url": "http://{host}"}, PLAIN),
        ({"host": "127.0.0.1.example.com"}, {"url": "http://{host}"}, PLAIN),
        ({"host": "https://ani:s3cret@api.example.com"}, {}, NO_ADDRESS),
        ({"host": "https://api.example.com?key=s3cret"}, {}, NO_ADDRESS),
        ({"host": "api.example.com:port"}, {}, NO_ADDRESS),
        ({"host": "ftp://api.example.com"}, {}, NO_ADDRESS),
        ({"host": "api.example.com:99999"}, {}, NO_ADDRESS),
        ({"host": "a\u0080.com"}, {}, NO_ADDRESS),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_used(shop, connection, source, said):
    shop.connection = Connection(**vars(shop.connection) | connection)
    message = shop.refused(**source)
    assert said in message
    assert message.startswith(WHERE)
    assert "s3cr" not in message
    assert shop.api.asked == []


@pytest.mark.parametrize(
    ("host", "port", "url", "base"),
    [
        ("api.example.com", None, "{host}", "https://api.example.com"),
        ("api.example.com/v1/", 8443, "{host}", "https://api.example.com:8443/v1"),
        ("api.example.com:99", 8443, "https://{host}/v2/", "https://api.example.com:99/v2"),
        ("http://localhost:99", None, "https://{host}/v2", "http://localhost:99/v2"),
        ("http://[::1]", 99, "{host}", "http://[::1]:99"),
        ("us1", None, "https://{host}.api.example.com/3.0", "https://us1.api.example.com/3.0"),
        (None, None, "https://api.example.com/3.0", "https://api.example.com/3.0"),
    ],
)
def test_base_addresses(shop, host, port, url, base):
    connection = Connection("shop_api", "http", host=host, port=port)
    assert rest_address.base("here", shop.settings(url=url).sources["shop"], connection) == base


@pytest.mark.parametrize("insecure", [True, "true"])
def test_plain_http_for_who_allows_it(shop, insecure):
    connection = Connection("shop_api", "http", host="http://erp.lan", extra={"insecure": insecure})
    assert rest_address.base("here", shop.settings().sources["shop"], connection) == "http://erp.lan"


# ---- one request for each record of another


def campaigns(asked: Asked) -> dict:
    if asked.path == "/campaigns":
        return {"campaigns": [{"id": n % 2 + 1, "settings": {"title": f"T{n % 2 + 1}"}} for n in range(3)]}
    return {"people": [{"contact_id": f"{asked.path[-1]}-{asked['t']}", "updated_at": AT, "city": "own"}]}


EACH = {
    "path": "campaigns/{campaign_id}",
    "params": {"t": "{title}"},
    "for_each": {
        "path": "campaigns",
        "records": "campaigns",
        "keep": {"campaign_id": "id", "title": "settings.title", "city": "nothing"},
    },
}


def test_a_request_for_each_record_of_another(shop):
    shop.api.answer = campaigns
    result = shop.land(EACH, spec={"columns": {"first_name": "title"}})
    assert result.rows("contact_id", "first_name", "city", "_file") == [
        ("1-T1", "T1", None, "campaigns/{campaign_id}"),
        ("2-T2", "T2", None, "campaigns/{campaign_id}"),
    ]
    assert [asked.path for asked in shop.api.asked] == ["/campaigns", "/campaigns/1", "/campaigns/2"]


def test_no_records_to_ask_for(shop):
    shop.api.answer = {"campaigns": []}
    query = "select contact_id, updated_at, title as first_name from x"
    request = EACH | {"records": "people", "fields": ["contact_id", "updated_at"]}
    assert shop.land(spec={"requests": {"x": request}, "query": query}).manifest.rows == 0
    assert shop.land(EACH, spec={"columns": {"first_name": "title"}}).manifest.rows == 0


@pytest.mark.parametrize(
    ("parent", "said"),
    [
        (
            {"id": None},
            "a record has nothing at 'id', from which the next request is made; correct 'keep' in tangga.yml.",
        ),
        ({"id": ""}, "a record has nothing at 'id', from which"),
        (7, "a record has nothing at 'id', from which"),
        ({"id": "a\ud800", "settings": {"title": "x"}}, "a record has an escape that is not a character; ask whoever"),
    ],
)
def test_a_record_that_cannot_be_asked_for_is_refused(shop, parent, said):
    shop.api.answer = {"campaigns": [parent]}
    message = shop.refused(EACH)
    assert message.startswith(f"{WHERE}, path 'campaigns': {said}")
    assert len(shop.api.asked) == 1


@pytest.mark.parametrize(
    ("given", "path"), [("../x?y#z", "/campaigns/..%2Fx%3Fy%23z"), ("a b%2F", "/campaigns/a%20b%252F")]
)
def test_what_is_put_into_a_path_stays_one_part_of_it(shop, given, path):
    shop.api.answer = lambda asked: {
        "campaigns": [{"id": given, "settings": {"title": "x&t=y"}}],
        "people": people(1, 1),
    }
    shop.land(EACH)
    assert (shop.api.asked[1].path, shop.api.asked[1].query) == (path, {"t": ["x&t=y"]})


def test_what_would_lead_to_another_path_is_refused(shop):
    shop.api.answer = {"campaigns": [{"id": "..", "settings": {"title": "x"}}]}
    assert "would lead to another path" in shop.refused(EACH)
    shop.api.answer = {"campaigns": [{"id": "1", "settings": {"title": ".."}}], "people": people(1, 1)}
    assert shop.land(EACH).column("contact_id") == ["1"]


# ---- several relations, and queries


def test_several_requests_are_joined_by_a_query(shop):
    shop.api.answer = lambda asked: {
        "/people": {"people": people(1, 2)},
        "/mails": [{"person": 2, "mail": "b@example.com"}],
    }[asked.path]
    requests = {"a": {"path": "people", "records": "people"}, "b": {"path": "mails", "records": ""}}
    query = "select a.*, b.mail as email, b._file as _file, b._line from a left join b on a.contact_id = b.person"
    result = shop.land(spec={"requests": requests, "query": query.replace("a.*", "contact_id, updated_at")})
    assert result.rows("contact_id", "email", "_file") == [("1", None, None), ("2", "b@example.com", "mails")]


def test_several_lists_of_one_answer(shop):
    shop.api.answer = {"tickets": [person(1, user=7)], "users": [{"id": 7, "name": "Ani"}, {"id": 8, "name": "Budi"}]}
    request = {
        "path": "tickets",
        "records": {"tickets": "tickets", "users": "users"},
        "fields": {"users": ["id", "name"], "tickets": ["user"]},
    }
    query = "select contact_id, updated_at, name as first_name from tickets join users on users.id = tickets.user"
    spec = {"requests": {"all": request}, "query": query}
    assert shop.land(spec=spec).rows("contact_id", "first_name") == [("1", "Ani")]
    shop.api.answer = {"tickets": [person(1, user=7)]}
    assert "its answer has no list at 'users'" in shop.refused(spec=spec)


def test_nested_records_are_unnested_by_a_query(shop):
    shop.api.answer = b'[{"id": 9007199254740993, "lines": [{"sku": "007", "price": 1.10}, {"sku": "8", "price": 20}]}]'
    query = """
        select id as order_id, n as line_number, line ->> 'sku' as product_id, 1 as quantity,
            line ->> 'price' as unit_price
        from (select id, unnest(lines) as line, generate_subscripts(lines, 1) as n
              from (select id, from_json(lines, '["JSON"]') as lines from file))
    """
    spec = {"query": query}
    result = shop.land({"records": "", "fields": ["id", "lines"]}, entity="order_lines", spec=spec)
    assert [tuple(map(str, row)) for row in result.rows("order_id", "product_id", "unit_price")] == [
        ("9007199254740993", "007", "1.10"),
        ("9007199254740993", "8", "20.00"),
    ]


def test_a_query_runs_on_an_empty_day(shop):
    shop.api.answer = {"people": []}
    query = "select id as contact_id, changed as updated_at, mail as email, _file, _line from file"
    request = {"fields": ["id", "changed"], "optional_fields": ["mail"]}
    assert shop.land(request, spec={"query": query}).manifest.rows == 0
    assert "its 'query' cannot be run" in shop.refused({"fields": ["id"]}, spec={"query": query})


@pytest.mark.parametrize("name", ["Id", "Order", "id; drop table x", 'a "b"', "Évoli"])
def test_names_of_fields_are_the_apis_own(shop, name):
    shop.api.answer = {"people": [{name: "1", "updated_at": AT, "_file": "x", "_LINE": "y", "": "z"}]}
    assert shop.land(spec={"columns": {"contact_id": name}}).rows("contact_id", "_file", "_line") == [
        ("1", "people", 1)
    ]


def test_the_example_of_the_documentation(shop, inbox):
    page = (REPOSITORY / "docs/sources/rest.md").read_text(encoding="utf-8")
    (block,) = re.findall("```yaml\n(.*?)```", page, re.S)
    source = yaml.safe_load(block)["sources"]["hotel"]
    hotel = {"shop": source | {"url": f"{shop.api.url}/v2"}}
    known = inbox.settings("orders", sources=hotel, business=BUSINESS | {"currency": "EUR"})
    stays = [{"room": "007", "nights": 2, "price": 80.50}, {"room": "8", "nights": 1, "price": 99}]
    booking = {"state": "ok", "made": "2026-03-10T09:30:00Z", "guest": {"id": 17, "mail": "x"}, "stays": stays}
    shop.api.answer = lambda asked: {
        "data": [booking | {"nr": 1 if asked["cursor"] else 2}],
        "meta": {} if asked["cursor"] else {"next": "c2Vj"},
    }
    orders = Landed(known, landing.land(known, "shop", "orders", DAY))
    assert orders.rejects == []
    assert orders.rows("order_id", "contact_id", "cast(total_amount as varchar)", "status", "ordered_at") == [
        (number, "17", "260.00", "completed", datetime(2026, 3, 10, 9, 30)) for number in ("1", "2")
    ]
    lines = Landed(known, landing.land(known, "shop", "order_lines", DAY))
    assert lines.rows("order_id", "line_number", "product_id", "cast(unit_price as varchar)")[:2] == [
        ("1", 1, "007", "80.50"),
        ("1", 2, "8", "99.00"),
    ]
    assert (shop.api.asked[0].path, shop.api.asked[0]["changed_from"]) == ("/v2/bookings", "2026-03-06T17:00:00Z")


# ---- samples


def test_a_sample_stops_early(shop):
    def answer(asked: Asked) -> dict:
        if asked.path == "/campaigns":
            return {"campaigns": [{"id": n, "settings": {"title": "x"}} for n in (1, 2)]}
        return {"people": people(1, 3), "c": len(shop.api.asked)}

    shop.api.answer = answer
    known = shop.settings(EACH | {"paging": {"type": "cursor", "param": "after", "path": "c"}})
    with scratch(known) as con:
        rest.load(con, Reading(known, "shop", "contacts", DAY, sample=5))
        assert con.execute("select count(*) from file").fetchone() == (6,)
    assert [asked.path for asked in shop.api.asked] == ["/campaigns", "/campaigns/1", "/campaigns/1"]


# ---- failures


def storm(*replies: object, then: object) -> Callable[[Asked], object]:
    left = list(replies)
    return lambda asked: left.pop(0) if left else then


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"people": []}, status=429, headers={"Retry-After": "0"}),
        Reply(status=503),
        Reply(status=403),
        Reply(b'{"peop', length=100),
    ],
)
def test_what_passes_is_waited_for(shop, reply):
    shop.api.answer = storm(reply, reply, reply, reply, then={"people": people(1, 3)})
    assert shop.land().column("contact_id") == ids(1, 3)
    assert len(shop.api.asked) == 5


def test_what_does_not_pass_in_time_is_down(shop):
    shop.api.answer = Reply(status=503)
    assert shop.refused(kind=SourceDown) == "answered 503, 5 times; try again later."


def test_a_failure_on_a_later_page_loses_nothing_that_was_there(shop):
    shop.api.answer = by_page
    paging = {"paging": {"type": "page"}}
    shop.land(paging)
    shop.api.answer = lambda asked: by_page(asked) if asked["page"] == "1" else Reply(b"<html>", status=500)
    assert "answered 500" in shop.refused(paging, kind=SourceDown)


def test_wrong_credentials(shop):
    shop.api.answer = Reply({"message": f"bad token {SECRET}"}, status=401)
    assert shop.refused().startswith("answered 401 (it does not accept the credentials); correct the connection")
    assert len(shop.api.asked) == 1


def test_nothing_personal_and_no_secret_reaches_a_log_or_a_message(shop, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    for status in (200, 404, 500):
        shop.api.answer = lambda asked, status=status: (
            {"campaigns": [{"id": "ani@example.com", "settings": {"title": "Budi"}}]}
            if asked.path == "/campaigns"
            else Reply({"people": people(1, 1), "ani@example.com": 1}, status=status)
        )
        try:
            shop.land(EACH)
        except SourceRefused as error:
            told.append(str(error))
    assert len(told) == 2
    for part in (SECRET, "ani", "Budi", "%40", "t=", shop.api.url):
        assert part not in caplog.text + "".join(told)
