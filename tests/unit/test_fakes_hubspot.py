"""The fake of HubSpot refuses what HubSpot refuses, and writes down what a client must never do."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.hubspot_writing import HubSpotPortal

CONTACTS = "/crm/objects/2026-09/contacts"
LISTS = "/crm/lists/2026-09"
CONSENT = "/communication-preferences/2026-09/statuses"
KEY = {
    "name": "crm_id", "label": "Customer", "type": "string", "fieldType": "text",
    "groupName": "contactinformation", "hasUniqueValue": True,
}  # fmt: skip


@pytest.fixture
def portal():
    with HubSpotPortal() as portal:
        portal.add_property("crm_id", hasUniqueValue=True)
        yield portal


@pytest.fixture
def api(portal):
    """The portal, asked with its token."""
    headers = {"Authorization": f"Bearer {portal.token}"}
    with httpx.Client(base_url=portal.url, headers=headers, timeout=5) as api:
        yield api


def row(key: int | str, trace: str | None = None, **properties: str | None) -> dict:
    one = {"idProperty": "crm_id", "id": str(key), "properties": properties}
    return one | ({"objectWriteTraceId": trace} if trace else {})


def upsert(api, *rows: dict) -> httpx.Response:
    return api.post(f"{CONTACTS}/batch/upsert", json={"inputs": list(rows)})


def emails(portal) -> set[str]:
    return {contact["properties"]["email"] for contact in portal.contacts.values()}


# ---- contacts


def test_contacts_are_told_apart_by_a_unique_property(portal, api):
    first = upsert(api, row(1, email="ani@example.com"), row(2, email="budi@example.com"))
    assert (first.status_code, first.json()["status"]) == (200, "COMPLETE")
    made = {one["properties"]["email"]: (one["id"], one["new"]) for one in first.json()["results"]}
    assert made == {"ani@example.com": ("101", True), "budi@example.com": ("102", True)}
    again = upsert(api, row(1, email="ani@example.com", firstname="Ani"))
    assert [(one["id"], one["new"]) for one in again.json()["results"]] == [("101", False)]
    assert portal.effects.doubled("created") == {}
    assert [(one.who, one.what) for one in portal.effects if one.kind == "changed"] == [
        ("ani@example.com", "firstname")
    ]


def test_results_come_in_an_order_of_their_own(api):
    rows = [row(key, email=f"p{key}@example.com") for key in range(3)]
    found = [one["properties"]["email"] for one in upsert(api, *rows).json()["results"]]
    assert found != [one["properties"]["email"] for one in rows]
    assert set(found) == {one["properties"]["email"] for one in rows}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([row(key) for key in range(101)], "maximum number of inputs"),
        ([], "must not be empty"),
        ([row(1), row(2), row(1)], "Duplicate IDs found in batch input: [1]. IDs must be unique"),
        ([{"id": "1", "properties": {}}], "idProperty is required"),
        ([row(1) | {"idProperty": "firstname"}], "cannot be used as an idProperty"),
        ([row(1) | {"idProperty": "shoe_size"}], "cannot be used as an idProperty"),
        ([row(1, email="nonsense")], "INVALID_EMAIL"),
        ([row(1, shoe_size="44")], "PROPERTY_DOESNT_EXIST"),
        ([row(1, lifecyclestage="sultan")], "INVALID_OPTION"),
        ([row(1, hs_object_id="7")], "READ_ONLY_VALUE"),
    ],
)
def test_a_batch_is_refused_as_a_whole(portal, api, inputs, words):
    refused = upsert(api, *inputs)
    assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")
    assert words in refused.json()["message"]
    assert portal.contacts == {}


@pytest.mark.parametrize(("multi_status", "traced"), [("traced", True), ("always", False)])
def test_one_bad_row_of_many_is_named_where_rows_are_told_apart(portal, api, multi_status, traced):
    portal.multi_status = multi_status
    portal.add_contact("ani@example.com", crm_id="1")
    rows = [
        row(2, "t2" if traced else None, email="ani@example.com"),
        row(3, "t3" if traced else None, email="nonsense"),
        row(4, "t4" if traced else None, email="dewi@example.com"),
    ]
    found = upsert(api, *rows)
    assert (found.status_code, found.json()["status"], found.json()["numErrors"]) == (207, "COMPLETE", 2)
    said = {
        tuple(one["context"].get("objectWriteTraceId") or one["context"]["ids"]): one for one in found.json()["errors"]
    }
    conflict, invalid = said[("t2",) if traced else ("2",)], said[("t3",) if traced else ("3",)]
    assert (conflict["category"], conflict["message"]) == ("CONFLICT", "Contact already exists. Existing ID: 101")
    assert invalid["category"] == "VALIDATION_ERROR"
    assert emails(portal) == {"ani@example.com", "dewi@example.com"}


@pytest.mark.parametrize(("multi_status", "traced"), [("traced", False), ("never", True)])
def test_one_bad_row_spoils_many_where_rows_are_not_told_apart(portal, api, multi_status, traced):
    portal.multi_status = multi_status
    portal.add_contact("ani@example.com", crm_id="1")
    trace = "t" if traced else None
    refused = upsert(api, row(3, trace, email="new@example.com"), row(2, trace, email="Ani@example.com"))
    assert (refused.status_code, refused.json()["category"]) == (409, "CONFLICT")
    assert refused.json()["message"] == "Contact already exists. Existing ID: 101"
    assert emails(portal) == {"ani@example.com"}


def test_contacts_are_read_made_and_changed_many_at_once(portal, api):
    portal.add_contact("ani@example.com", crm_id="1", firstname="Ani")
    wanted = {"idProperty": "email", "properties": ["crm_id"], "inputs": [{"id": "ANI@example.com"}, {"id": "x@y.id"}]}
    found = api.post(f"{CONTACTS}/batch/read", json=wanted)
    assert (found.status_code, found.json()["results"][0]["properties"]["crm_id"]) == (207, "1")
    assert [(one["category"], one["context"]["ids"]) for one in found.json()["errors"]] == [
        ("OBJECT_NOT_FOUND", ["x@y.id"])
    ]
    made = api.post(f"{CONTACTS}/batch/create", json={"inputs": [{"properties": {"email": "budi@example.com"}}]})
    assert (made.status_code, portal.effects.of("created")) == (201, ["budi@example.com"])
    changed = {"inputs": [{"id": "101", "properties": {"firstname": ""}}]}
    assert api.post(f"{CONTACTS}/batch/update", json=changed).status_code == 200
    assert portal.contact("ani@example.com")["properties"]["firstname"] is None
    missing = {"inputs": [{"id": "999", "properties": {}}]}
    assert api.post(f"{CONTACTS}/batch/update", json=missing).status_code == 404


def test_a_lifecycle_stage_goes_back_only_by_way_of_none(portal, api):
    def stage(value: str) -> str | None:
        assert upsert(api, row(1, email="ani@example.com", lifecyclestage=value)).status_code == 200
        return portal.contact("ani@example.com")["properties"]["lifecyclestage"]

    assert [stage(one) for one in ("lead", "customer", "lead", "", "lead")] == [
        "lead", "customer", "customer", None, "lead"
    ]  # fmt: skip
    assert portal.effects.of("stage_kept") == ["ani@example.com"]


def test_another_address_for_a_known_contact_is_noticed(portal, api):
    upsert(api, row(1, email="ani@example.com"))
    upsert(api, row(1, email="ani@new.example"))
    assert [(one.kind, one.who, one.what) for one in portal.effects.forbidden()] == [
        ("address_changed", "ani@example.com", "ani@new.example")
    ]
    assert portal.contact("ani@example.com") is None
    assert portal.contact("ani@new.example")["id"] == "101"


def test_who_is_forgotten_cannot_come_back(portal, api):
    portal.add_contact("ani@example.com", crm_id="1")
    for address in ("ani@example.com", "never@example.com"):
        gone = api.post(f"{CONTACTS}/gdpr-delete", json={"objectId": address, "idProperty": "email"})
        assert gone.status_code == 204
    assert portal.contacts == {}
    assert (portal.effects.of("forgotten"), portal.effects.of("blocklisted")) == (
        ["ani@example.com"], ["never@example.com"],
    )  # fmt: skip
    for key, address in enumerate(("Ani@example.com", "never@example.com")):
        assert upsert(api, row(key, email=address)).status_code == 400


# ---- properties


def test_properties_are_made_once(portal, api):
    portal.drop_property("crm_id")
    made = "/crm/properties/2026-09/contacts"
    assert upsert(api, row(1, email="ani@example.com")).status_code == 400
    assert [api.post(made, json=KEY).status_code for _ in range(2)] == [201, 409]
    assert api.get(f"{made}/crm_id").json()["hasUniqueValue"] is True
    assert api.get(f"{made}/nothing").status_code == 404
    assert {"email", "lifecyclestage", "crm_id"} <= {one["name"] for one in api.get(made).json()["results"]}
    assert upsert(api, row(1, email="ani@example.com")).status_code == 200
    for wrong in ({"name": "Crm Id"}, {"fieldType": "number"}, {"groupName": ""}):
        assert api.post(made, json=KEY | {"name": "another"} | wrong).status_code == 400


# ---- lists


def new_list(api, name: str, **more: object) -> httpx.Response:
    return api.post(LISTS, json={"name": name, "objectTypeId": "0-1", "processingType": "MANUAL"} | more)


def test_lists_are_made_once_and_found_by_name(portal, api):
    made = new_list(api, "crm:winback").json()["list"]
    twice = new_list(api, "CRM:winback")
    assert (twice.status_code, twice.json()["subCategory"]) == (400, "ILS.DUPLICATE_LIST_NAMES")
    found = api.get(f"{LISTS}/object-type-id/0-1/name/crm:winback")
    assert found.json()["list"]["listId"] == made["listId"]
    assert api.get(f"{LISTS}/object-type-id/0-1/name/crm").status_code == 404
    assert api.post(f"{LISTS}/search", json={"query": "WIN"}).json()["total"] == 1
    assert new_list(api, "active", processingType="DYNAMIC").status_code == 400
    portal.drop_list("crm:winback")
    assert api.get(f"{LISTS}/{made['listId']}").status_code == 404


def test_memberships_say_who_was_missing(portal, api):
    portal.automate("crm:winback")
    ids = [portal.add_contact(f"p{place}@example.com")["id"] for place in range(3)]
    one = new_list(api, "crm:winback").json()["list"]["listId"]
    change = f"{LISTS}/{one}/memberships/add-and-remove"
    found = api.put(change, json={"recordIdsToAdd": [*ids, "999"], "recordIdsToRemove": []}).json()
    assert found == {"recordsIdsAdded": ids, "recordIdsRemoved": [], "recordIdsMissing": ["999"]}
    found = api.put(change, json={"recordIdsToAdd": ids[:1], "recordIdsToRemove": [ids[2], "998"]}).json()
    assert found == {"recordsIdsAdded": [], "recordIdsRemoved": [ids[2]], "recordIdsMissing": ["998"]}
    assert portal.on("crm:winback") == {"p0@example.com", "p1@example.com"}
    assert portal.effects.doubled("automation") == {}
    shown = api.get(f"{LISTS}/{one}/memberships", params={"limit": 1}).json()
    assert ([row["recordId"] for row in shown["results"]], shown["paging"]["next"]["after"]) == ([ids[0]], ids[0])
    assert api.put(change, json={"recordIdsToAdd": ["1"] * 100_001}).status_code == 400
    assert api.put(f"{LISTS}/999/memberships/add-and-remove", json={}).status_code == 404


def test_the_marketers_own_lists_are_watched(portal, api):
    contact = portal.add_contact("ani@example.com")
    own = portal.list_by_hand("VIP")
    active = portal.add_list("active", "DYNAMIC", by="person")
    assert portal.effects.forbidden() == []
    assert api.put(f"{LISTS}/{active['listId']}/memberships/add", json=[contact["id"]]).status_code == 400
    assert api.put(f"{LISTS}/{own['listId']}/memberships/add", json=[contact["id"]]).status_code == 200
    assert [(one.kind, one.what) for one in portal.effects.forbidden()] == [("foreign_tag", "VIP")]


# ---- consent


def test_who_opted_out_is_read_many_at_once(portal, api):
    portal.add_contact("ani@example.com")
    portal.leaves("Ani@example.com")
    read = f"{CONSENT}/batch/unsubscribe-all/read"
    addresses = {"inputs": ["ani@example.com", "budi@example.com"]}
    found = api.post(read, params={"channel": "EMAIL"}, json=addresses).json()
    said = {one["subscriberIdString"]: [wide["status"] for wide in one["wideStatuses"]] for one in found["results"]}
    assert said == {"ani@example.com": ["UNSUBSCRIBED"], "budi@example.com": []}
    assert api.post(read, json=addresses).status_code == 400
    assert api.post(read, params={"channel": "EMAIL"}, json={"inputs": ["x@y.id"] * 101}).status_code == 400
    single = {name: api.get(f"{CONSENT}/{name}/unsubscribe-all?channel=EMAIL") for name in addresses["inputs"]}
    assert [len(one.json()["results"]) for one in single.values()] == [1, 0]
    assert portal.contact("ani@example.com")["properties"]["hs_email_optout"] == "true"


def test_to_opt_somebody_out_is_fine_and_to_bring_them_back_is_not(portal, api):
    assert api.post(f"{CONSENT}/ani@example.com/unsubscribe-all?channel=EMAIL").status_code == 200
    assert portal.effects.of("unsubscribed") == ["ani@example.com"]
    assert portal.effects.forbidden() == []
    yes = {"statusState": "SUBSCRIBED", "channel": "EMAIL", "subscriptionId": 1}
    assert api.post(f"{CONSENT}/ani@example.com", json=yes).status_code == 200
    assert [one.kind for one in portal.effects.forbidden()] == ["status_sent", "resubscribed"]
    assert portal.opted_out == {}


# ---- who may ask, where and how often


def test_a_hundred_in_ten_seconds_and_five_searches_in_one(portal, api):
    statuses = [api.post(f"{LISTS}/search", json={}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert {api.get("/account-info/2026-09/details").status_code for _ in range(100)} == {200}
    refused = api.get("/account-info/2026-09/details")
    assert (refused.status_code, refused.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")


@pytest.mark.parametrize(
    "paths",
    [
        (CONTACTS + "/batch/read", "/crm/v3/objects/contacts/batch/read", "/crm/objects/2025-01/contacts/batch/read"),
        (LISTS + "/search", "/crm/v3/lists/search", "/crm/lists/2025-01/search"),
        (
            CONSENT + "/batch/unsubscribe-all/read?channel=EMAIL",
            "/communication-preferences/v4/statuses/batch/unsubscribe-all/read?channel=EMAIL",
            "/communication-preferences/v5/statuses/batch/unsubscribe-all/read?channel=EMAIL",
        ),
    ],
)
def test_versions_are_part_of_the_path(portal, api, paths):
    contact = portal.add_contact("ani@example.com")
    inputs = ["ani@example.com"] if "communication" in paths[0] else [{"id": contact["id"]}]
    assert [api.post(one, json={"inputs": inputs}).status_code for one in paths] == [200, 200, 404]


def test_a_token_without_the_scope_is_refused(portal, api):
    portal.scopes.discard("crm.lists.write")
    refused = new_list(api, "crm:winback")
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
    assert upsert(api, row(1, email="ani@example.com")).status_code == 200
