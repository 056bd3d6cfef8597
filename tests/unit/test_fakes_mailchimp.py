"""The fake of Mailchimp refuses what Mailchimp refuses, and writes down what a client must never do."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fakes.mailchimp_rules import md5
from tests.fakes.mailchimp_writing import MailchimpAccount


@pytest.fixture
def tool():
    with MailchimpAccount() as tool:
        yield tool


@pytest.fixture
def api(tool):
    """The account, asked with its key."""
    with httpx.Client(base_url=f"{tool.url}/3.0", auth=("key", tool.token), timeout=5) as api:
        yield api


def path(tool, address: str, rest: str = "") -> str:
    return f"/lists/{tool.list_id}/members/{md5(address)}{rest}"


def put(tool, api, address: str, **more) -> httpx.Response:
    member = {"email_address": address, "status_if_new": "subscribed"} | more
    return api.put(path(tool, address), json=member)


def many(number: int) -> list[str]:
    return [f"p{place}@example.com" for place in range(number)]


# ---- members


def test_a_member_is_known_by_the_hash_of_small_letters(tool, api):
    assert put(tool, api, "Ani@Example.com").json()["id"] == md5("ani@example.com")
    wrong = api.put(path(tool, "other@example.com"), json={"email_address": "ani@example.com"})
    assert (wrong.status_code, len(tool.members)) == (400, 1)
    assert api.get(path(tool, "ANI@example.com")).json()["email_address"] == "Ani@Example.com"
    assert api.get(f"/lists/{tool.list_id}/members/ani@example.com").status_code == 200
    assert api.get(path(tool, "other@example.com")).status_code == 404


def test_a_new_member_needs_a_status_and_a_known_one_keeps_theirs(tool, api):
    bare = api.put(path(tool, "ani@example.com"), json={"email_address": "ani@example.com"})
    assert (bare.status_code, bare.json()["errors"]) == (
        400, [{"field": "", "message": "Required fields were not provided: status_if_new"}],
    )  # fmt: skip
    put(tool, api, "ani@example.com", status_if_new="transactional", tags=["crm:new"])
    known = put(tool, api, "ani@example.com", tags=["crm:other"], merge_fields={"FNAME": "Ani"})
    assert (known.status_code, known.json()["status"]) == (200, "transactional")
    assert [tag["name"] for tag in known.json()["tags"]] == ["crm:new"]
    assert [(one.kind, one.what) for one in tool.effects if one.kind in ("created", "changed")] == [
        ("created", "transactional"), ("changed", "FNAME"),
    ]  # fmt: skip
    put(tool, api, "ani@example.com", merge_fields={"FNAME": "Ani"})
    assert len(tool.effects.of("changed")) == 1
    again = api.post(f"/lists/{tool.list_id}/members", json={"email_address": "ani@example.com", "status": "pending"})
    assert (again.status_code, again.json()["title"]) == (400, "Member Exists")


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived"])
def test_fields_of_who_left_are_written_without_bringing_them_back(tool, api, status):
    tool.add_member("ani@example.com")
    tool.leaves("ani@example.com", status)
    assert put(tool, api, "ani@example.com", merge_fields={"FNAME": "Ani"}).json()["status"] == status
    assert tool.effects.forbidden() == []


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned"])
def test_who_left_by_themselves_is_not_subscribed_again(tool, api, status):
    tool.add_member("ani@example.com")
    tool.leaves("ani@example.com", status)
    refused = put(tool, api, "ani@example.com", status="subscribed")
    assert (refused.status_code, refused.json()["title"]) == (400, "Member In Compliance State")
    assert tool.member("ani@example.com")["status"] == status
    assert [one.kind for one in tool.effects.forbidden()] == ["status_sent"]


@pytest.mark.parametrize("how", ["unsubscribed", "archived"])
def test_who_was_let_go_by_the_api_is_subscribed_again_without_a_word(tool, api, how):
    tool.add_member("ani@example.com")
    if how == "archived":
        assert api.delete(path(tool, "ani@example.com")).status_code == 204
    else:
        assert api.patch(path(tool, "ani@example.com"), json={"status": "unsubscribed"}).status_code == 200
    assert tool.effects.forbidden() == []
    assert put(tool, api, "ani@example.com", status="subscribed").json()["status"] == "subscribed"
    assert [one.kind for one in tool.effects.forbidden()] == ["status_sent", "resubscribed"]


def test_pending_sends_a_mail(tool, api):
    tool.add_member("ani@example.com")
    tool.leaves("ani@example.com")
    assert put(tool, api, "ani@example.com", status="pending").status_code == 200
    assert tool.effects.of("confirmation_mail") == ["ani@example.com"]
    assert [one.kind for one in tool.effects.forbidden()] == ["status_sent", "resubscribed"]


def test_to_archive_is_not_to_forget(tool, api):
    put(tool, api, "ani@example.com")
    assert [api.delete(path(tool, "ani@example.com")).status_code for _ in range(2)] == [204, 405]
    assert tool.member("ani@example.com")["status"] == "archived"
    gone = path(tool, "ani@example.com", "/actions/delete-permanent")
    assert [api.post(gone).status_code for _ in range(2)] == [204, 404]
    back = put(tool, api, "ani@example.com")
    assert (back.status_code, back.json()["title"]) == (400, "Forgotten Email Not Subscribed")
    assert tool.effects.of("forgotten") == ["ani@example.com"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ani", "Please provide a valid email address."),
        ("ani@@example.com", "Please provide a valid email address."),
        ("webmaster@example.com", "looks fake or invalid"),
        ("ani@shop.invalid", "looks fake or invalid"),
        ("blocked@example.com", "has signed up to a lot of lists very recently"),
    ],
)
def test_addresses_are_refused_in_its_own_words(tool, api, address, words):
    tool.block("blocked@example.com", "has signed up to a lot of lists very recently; we're not allowing more signups")
    refused = put(tool, api, address)
    assert (refused.status_code, refused.json()["title"]) == (400, "Invalid Resource")
    assert words in refused.json()["detail"]
    assert tool.members == {}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"BIRTHDAY": "1990-05-17"}, {"BIRTHDAY": "Please enter a month (01-12) and a day (01-31)"}),
        ({"BIRTHDAY": "13/01"}, {"BIRTHDAY": "Please enter a month (01-12) and a day (01-31)"}),
        ({"SCORE": "AAA"}, {"SCORE": "Please enter a number"}),
        ({"ADDRESS": {"city": "Jakarta"}}, {"ADDRESS": "Please enter a complete address"}),
        ({"LADDER": "sultan"}, {"LADDER": "Value must be one of these: fan, customer"}),
        ({"SHOESIZE": "44"}, {"SHOESIZE": "This merge field does not exist"}),
        ({"FNAME": None}, {"merge_fields.FNAME": "Schema describes string, NULL found instead"}),
    ],
)
def test_merge_fields_are_refused_one_by_one(tool, api, fields, errors):
    tool.add_merge_field("SCORE", "number")
    tool.add_merge_field("LADDER", "dropdown", choices=["fan", "customer"])
    refused = put(tool, api, "ani@example.com", merge_fields=fields)
    assert refused.status_code == 400
    assert {one["field"]: one["message"] for one in refused.json()["errors"]} == errors
    assert tool.members == {}
    fine = {"BIRTHDAY": "02/29", "SCORE": 5, "LADDER": "fan", "FNAME": ""}
    assert put(tool, api, "ani@example.com", merge_fields=fine).status_code == 200


def test_a_required_field_holds_for_new_members(tool, api):
    tool.add_merge_field("LADDER", required=True)
    refused = put(tool, api, "ani@example.com")
    assert refused.json()["errors"] == [{"field": "LADDER", "message": "Please enter a value"}]
    member = {"email_address": "ani@example.com", "status_if_new": "subscribed"}
    lax = api.put(path(tool, "ani@example.com"), params={"skip_merge_validation": "true"}, json=member)
    assert lax.status_code == 200


def test_merge_fields_are_made_with_short_tags(tool, api):
    fields = f"/lists/{tool.list_id}/merge-fields"
    assert api.post(fields, json={"name": "Rung", "type": "text", "tag": "CRM_LADDERS"}).status_code == 400
    assert api.post(fields, json={"name": "Rung", "type": "text", "tag": "CRM_RUNG"}).json()["tag"] == "CRM_RUNG"
    assert "already exists" in api.post(fields, json={"name": "x", "type": "text", "tag": "crm_rung"}).json()["detail"]
    assert api.post(fields, json={"name": "x", "type": "colour"}).status_code == 400
    found = api.get(fields, params={"count": 1000}).json()
    assert [one["tag"] for one in found["merge_fields"]] == [
        "FNAME", "LNAME", "ADDRESS", "PHONE", "BIRTHDAY", "CRM_RUNG"
    ]  # fmt: skip
    tool.drop_field("CRM_RUNG")
    assert put(tool, api, "ani@example.com", merge_fields={"CRM_RUNG": "fan"}).status_code == 400
    tool.unknown_fields = "ignore"
    assert "CRM_RUNG" not in put(tool, api, "ani@example.com", merge_fields={"CRM_RUNG": "fan"}).json()["merge_fields"]


# ---- tags


def segment(tool, api, name: str, *addresses: str) -> str:
    made = api.post(f"/lists/{tool.list_id}/segments", json={"name": name, "static_segment": list(addresses)})
    assert made.status_code == 200
    return f"/lists/{tool.list_id}/segments/{made.json()['id']}"


def test_a_segment_ignores_whom_it_does_not_know_and_says_who_has_left(tool, api):
    for address in ("ani@example.com", "budi@example.com", "gone@example.com"):
        tool.add_member(address)
    tool.leaves("gone@example.com")
    tag = segment(tool, api, "crm:winback", "budi@example.com", "who@example.com")
    change = {
        "members_to_add": ["ani@example.com", "who@example.com", "gone@example.com"],
        "members_to_remove": ["BUDI@example.com", "nobody@example.com"],
    }
    answered = api.post(tag, json=change)
    found = answered.json()
    assert answered.status_code == 200
    assert (found["total_added"], found["total_removed"], found["error_count"]) == (1, 1, 1)
    assert found["errors"][0]["email_addresses"] == ["gone@example.com"]
    assert tool.on("crm:winback") == {"ani@example.com"}
    again = api.post(tag, json=change).json()
    assert (again["total_added"], again["total_removed"]) == (0, 0)
    assert tool.effects.doubled("joined") == {}
    shown = api.get(f"{tag}/members").json()
    assert [one["email_address"] for one in shown["members"]] == ["ani@example.com"]


def test_a_segment_takes_five_hundred_at_once(tool, api):
    tag = segment(tool, api, "crm:winback")
    assert api.post(tag, json={"members_to_add": many(501)}).status_code == 400
    assert api.post(tag, json={"members_to_add": many(500), "members_to_remove": many(500)}).status_code == 200


def test_tags_come_in_pages_and_have_one_name_each(tool, api):
    for number in range(12):
        segment(tool, api, f"crm:{number}")
    lists = f"/lists/{tool.list_id}/segments"
    twice = api.post(lists, json={"name": "CRM:3", "static_segment": []})
    assert (twice.status_code, twice.json()["detail"]) == (400, "Sorry, that tag already exists.")
    first = api.get(lists, params={"type": "static"}).json()
    assert (len(first["segments"]), first["total_items"]) == (10, 12)
    assert len(api.get(lists, params={"offset": 10, "count": 1000}).json()["segments"]) == 2
    assert api.get(f"/lists/{tool.list_id}/tag-search", params={"name": "crm:1"}).json()["total_items"] == 3
    tool.drop_tag("crm:3")
    assert api.get(lists).json()["total_items"] == 11


def test_a_deleted_tag_or_list_is_not_found(tool, api):
    tag = segment(tool, api, "crm:winback")
    tool.drop_tag("crm:winback")
    assert api.post(tag, json={"members_to_add": []}).status_code == 404
    tool.list_deleted = True
    assert api.get(f"/lists/{tool.list_id}").status_code == 404
    assert put(tool, api, "ani@example.com").status_code == 404


def test_an_automation_begins_with_each_joining_unless_it_is_a_sync(tool, api):
    tool.add_member("ani@example.com")
    tool.automate("crm:winback")
    tags = path(tool, "ani@example.com", "/tags")

    def tagged(status: str, is_syncing: bool = False) -> int:
        change = {"tags": [{"name": "crm:winback", "status": status}], "is_syncing": is_syncing}
        return api.post(tags, json=change).status_code

    assert [tagged("active"), tagged("active")] == [204, 204]
    assert tool.effects.of("automation", "crm:winback") == ["ani@example.com"]
    assert [tagged("inactive"), tagged("active", is_syncing=True)] == [204, 204]
    assert tool.effects.doubled("automation") == {}
    assert [tagged("inactive"), tagged("active")] == [204, 204]
    assert tool.effects.doubled("automation") == {("ani@example.com", "crm:winback"): 2}
    assert [one["name"] for one in api.get(tags).json()["tags"]] == ["crm:winback"]
    assert api.post(path(tool, "who@example.com", "/tags"), json={"tags": [{"name": "x"}]}).status_code == 404


def test_the_marketers_own_tags_are_watched(tool, api):
    tool.add_member("ani@example.com")
    tool.add_member("budi@example.com")
    vip = tool.tag_by_hand("vip", "ani@example.com")
    assert tool.effects.forbidden() == []
    api.post(f"/lists/{tool.list_id}/segments/{vip['id']}", json={"members_to_add": ["budi@example.com"]})
    assert [(one.kind, one.who, one.what) for one in tool.effects.forbidden()] == [
        ("foreign_tag", "budi@example.com", "vip")
    ]


def test_many_at_once_are_subscribed_with_all_its_dangers(tool, api):
    tool.add_member("ani@example.com")
    tool.add_member("known@example.com")
    tool.tag_by_hand("vip", "ani@example.com")
    api.patch(path(tool, "ani@example.com"), json={"status": "unsubscribed"})
    rows = [
        {"email_address": "ani@example.com", "status": "subscribed", "tags": ["crm:winback"]},
        {"email_address": "nonsense", "status": "subscribed"},
        {"email_address": "new@example.com", "status": "subscribed"},
    ]
    lists = f"/lists/{tool.list_id}"
    kept = api.post(lists, json={"members": [{"email_address": "known@example.com", "status": "subscribed"}]})
    assert (kept.status_code, kept.json()["errors"][0]["error_code"]) == (200, "ERROR_CONTACT_EXISTS")
    done = api.post(lists, json={"members": rows, "update_existing": True, "sync_tags": True})
    counted = {name: done.json()[name] for name in ("total_created", "total_updated", "error_count")}
    assert (done.status_code, counted) == (200, {"total_created": 1, "total_updated": 1, "error_count": 1})
    assert done.json()["errors"][0]["error"] == "Please provide a valid email address."
    assert {one.kind for one in tool.effects.forbidden()} == {"status_sent", "resubscribed", "foreign_tag"}
    assert tool.on("vip") == set()
    assert api.post(lists, json={"members": [rows[2]] * 501}).status_code == 400


# ---- who changed there


def test_changes_are_seen_by_time_and_status(tool, api):
    tool.add_member("old@example.com", at="2026-03-01T02:00:00+00:00")
    tool.add_member("ani@example.com", at="2026-03-01T02:00:00+00:00")
    tool.leaves("ani@example.com")
    members = f"/lists/{tool.list_id}/members"
    since = {"since_last_changed": "2026-03-02T00:00:00+00:00", "count": 1000}
    for status, expected in {"unsubscribed": ["ani@example.com"], "archived": []}.items():
        found = api.get(members, params=since | {"status": status}).json()["members"]
        assert [one["email_address"] for one in found] == expected


# ---- batches


def operations(tool, addresses: list[str]) -> list[dict]:
    return [
        {
            "method": "PUT", "path": path(tool, address), "operation_id": address,
            "body": json.dumps({"email_address": address, "status_if_new": "subscribed"}),
        }
        for address in addresses
    ]  # fmt: skip


def results(url: str) -> tuple[int, dict[str, dict]]:
    """How many files, and the results by operation."""
    with tarfile.open(fileobj=io.BytesIO(httpx.get(url).content)) as archive:
        files = [json.load(archive.extractfile(entry)) for entry in archive.getmembers() if entry.isfile()]
    return len(files), {one["operation_id"]: one for file in files for one in file}


def test_a_batch_takes_its_time_and_its_results_are_behind_a_secret(tool, api):
    addresses = [*many(399), "webmaster@example.com"]
    batch = api.post("/batches", json={"operations": operations(tool, addresses)}).json()
    assert (batch["status"], batch["total_operations"], tool.members) == ("pending", 400, {})
    halfway = api.get(f"/batches/{batch['id']}").json()
    assert (halfway["status"], halfway["finished_operations"], halfway["response_body_url"]) == ("started", 200, "")
    done = api.get(f"/batches/{batch['id']}").json()
    assert (done["status"], done["finished_operations"], done["errored_operations"]) == ("finished", 400, 1)
    url = done["response_body_url"]
    assert not url.startswith(tool.url)
    assert httpx.get(url.partition("?")[0]).status_code == 403
    files, found = results(url)
    assert (files, set(found)) == (2, set(addresses))
    assert {one["status_code"] for key, one in found.items() if key in many(399)} == {200}
    refused = found["webmaster@example.com"]
    assert (refused["status_code"], json.loads(refused["response"])["title"]) == (400, "Invalid Resource")
    assert tool.elsewhere.credentials == []
    httpx.get(url, auth=("key", tool.token))
    assert len(tool.elsewhere.credentials) == 1


def test_a_batch_has_a_thousand_operations_and_an_account_five_hundred_batches(tool, api):
    assert api.post("/batches", json={"operations": operations(tool, many(1001))}).status_code == 400
    assert api.post("/batches", json={"operations": []}).status_code == 400
    one = operations(tool, ["ani@example.com"])
    assert api.post("/batches", json={"operations": [one[0] | {"body": {"a": 1}}]}).status_code == 400
    assert {api.post("/batches", json={"operations": one}).status_code for _ in range(500)} == {200}
    assert api.post("/batches", json={"operations": one}).status_code == 429
    tool.finish_batches()
    assert api.post("/batches", json={"operations": one}).status_code == 200
    assert tool.effects.of("created") == ["ani@example.com"]
    assert api.get("/batches", params={"count": 1000}).json()["total_items"] == 501


def test_batches_are_worked_on_one_after_the_other(tool, api):
    first, second = (
        api.post("/batches", json={"operations": [one]}).json()["id"]
        for one in (
            operations(tool, ["ani@example.com"])[0],
            {"method": "DELETE", "path": path(tool, "ani@example.com"), "operation_id": "gone"},
        )
    )
    for _ in range(2):
        api.get(f"/batches/{second}")
    assert tool.member("ani@example.com")["status"] == "archived"
    assert api.get(f"/batches/{first}").json()["status"] == "finished"


def test_a_batch_may_never_finish(tool, api):
    tool.stuck = True
    batch = api.post("/batches", json={"operations": operations(tool, ["ani@example.com"])}).json()["id"]
    assert {api.get(f"/batches/{batch}").json()["status"] for _ in range(5)} == {"pending"}
    tool.stuck = False
    assert [api.get(f"/batches/{batch}").json()["status"] for _ in range(2)] == ["started", "finished"]
    assert api.get("/batches/nonsense").status_code == 404


# ---- who may ask


def test_the_eleventh_request_at_once_is_one_too_many(tool, api):
    tool.faults.latency = 0.3
    with ThreadPoolExecutor(12) as pool:
        statuses = [one.status_code for one in pool.map(lambda _: api.get("/ping"), range(12))]
    assert 429 in statuses
    assert 200 in statuses
    assert tool.most_at_once == 12
    tool.faults.latency = 0
    assert api.get("/ping").status_code == 200


def test_another_data_centre_or_a_key_without_rights(tool, api):
    tool.allowed = False
    assert api.get("/ping").status_code == 403
    tool.allowed, tool.data_centre = True, "us21"
    refused = api.get("/ping")
    assert (refused.status_code, refused.json()["title"]) == (401, "API Key Invalid")
    assert "wrong datacenter" in refused.json()["detail"]


def test_what_is_not_json_is_refused(tool, api):
    assert api.put(path(tool, "ani@example.com"), content=b"{").status_code == 400


def test_only_the_fields_that_were_asked_for_are_there(tool, api):
    tool.add_member("ani@example.com", merge_fields={"FNAME": "Ani"})
    members = f"/lists/{tool.list_id}/members"
    some = {"fields": "members.email_address,members.merge_fields.FNAME,total_items"}
    assert api.get(members, params=some).json() == {
        "members": [{"email_address": "ani@example.com", "merge_fields": {"FNAME": "Ani"}}], "total_items": 1
    }  # fmt: skip
    most = api.get(members, params={"exclude_fields": "members.merge_fields,_links"}).json()
    assert "merge_fields" not in most["members"][0]
    assert set(most) == {"members", "list_id", "total_items"}
