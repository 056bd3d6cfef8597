"""`type: rest` in `tangga.yml`: what is wrong is said with its key and what is allowed there."""

from __future__ import annotations

import pytest
import yaml

from tangga import settings
from tangga.settings import SettingsError
from tests.unit.inbox import BUSINESS

SHOP = """
type: rest
connection: shop_api
url: https://{host}/admin/{version}
settings: {version: 2026-04, strict: true, depth: 2}
auth: {type: bearer}
headers: {X-Version: 7}
paging: {type: link_header}
entities:
  orders:
    request:
      path: orders.json
      params: {limit: 250, expand: [a, b], all: true, since: 5}
      records: orders
"""
ORDERS = "sources.shop.entities.orders"
REQUEST = f"{ORDERS}.request"
PARENT = "path: campaigns, records: campaigns, keep"


def load(tmp_path, text: str) -> settings.Settings:
    path = tmp_path / "tangga.yml"
    path.write_text(yaml.safe_dump({"business": BUSINESS}) + "sources:\n  shop:" + text.replace("\n", "\n    "))
    return settings.load(path, tmp_path / "home")


def faults(tmp_path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(tmp_path, text)
    return [line.removeprefix(f"{tmp_path / 'tangga.yml'}: ") for line in str(error.value).split("\n")]


def test_a_rest_source(tmp_path):
    shop = load(tmp_path, SHOP).sources["shop"]
    assert isinstance(shop, settings.RestSource)
    assert shop.settings == {"version": "2026-04", "strict": "true", "depth": "2"}
    assert (shop.headers, shop.auth.type, shop.paging.rel) == ({"X-Version": "7"}, "bearer", "next")
    assert (shop.timeout_seconds, shop.deadline_seconds, shop.requests_per_second) == (60, 3600, None)
    ((name, request),) = shop.entities["orders"].named()
    assert (name, request.path, list(request.relations(name))) == ("file", "orders.json", [("file", "orders", [], [])])
    assert request.params == {"limit": ["250"], "expand": ["a", "b"], "all": ["true"], "since": ["5"]}


def test_of_consents_no_row_may_be_rejected(tmp_path):
    shop = load(tmp_path, SHOP.replace("  orders:\n", "  consents:\n")).sources["shop"]
    assert shop.entities["consents"].max_reject_share == 0


def test_several_lists_are_a_relation_each(tmp_path):
    text = SHOP.replace("records: orders", "records: {a: x.y, b: z}\n      fields: {b: [id]}\n    query: select 1")
    ((name, request),) = load(tmp_path, text).sources["shop"].entities["orders"].named()
    assert list(request.relations(name)) == [("a", "x.y", [], []), ("b", "z", ["id"], [])]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("connection: shop_api", "connection: https://x:s3cret@y", "sources.shop.connection: give the id of an Airflow "
         "connection, such as crm_db; address and password belong there"),
        ("connection: shop_api", "password: s3cret",
         "sources.shop.connection: is missing|sources.shop.password: is not a setting; check the spelling"),
        ("https://{host}", "https://x:s3cret@y",
         "sources.shop.url: must hold no credentials; they belong into the Airflow connection"),
        ("https://{host}", "ftp://{host}", "sources.shop.url: write https:// and the host, or a placeholder such as "
         "{host}, and nothing from a ? on"),
        ("{version}", "{version}?key=1", "sources.shop.url: write https:// and the host, or a placeholder such as "
         "{host}, and nothing from a ? on"),
        ("{version}", "{password}", "sources.shop: url: '{password}' is never put into an address; use 'auth'"),
        ("{version}", "{ds}", "sources.shop: url: '{ds}' cannot stand there"),
        ("depth: 2", "host: x", "sources.shop: settings: 'host' means something else; choose another name"),
        ("depth: 2", "begin: x", "sources.shop: settings: 'begin' means something else; choose another name"),
        ("depth: 2", "depth: 2.5",
         "sources.shop.settings.depth: must be a text, a whole number, true or false; put quotes around it"),
        ("2026-04", "2026-04-01",
         "sources.shop.settings.version: must be a text, a whole number, true or false; put quotes around it"),
        ("{type: bearer}", "{}", "sources.shop.auth.type: is missing"),
        ("{type: bearer}", "{type: oauth}",
         "sources.shop.auth.type: is not a type that can be used; use bearer, basic or header"),
        ("{type: bearer}", "bearer", "sources.shop.auth: needs a block of keys below it"),
        ("{type: bearer}", "{type: basic, name: x}", "sources.shop.auth.name: is not a setting; check the spelling"),
        ("{type: bearer}", "{type: header}", "sources.shop.auth.name: is missing"),
        ("X-Version", "Authorization", "sources.shop.headers.Authorization: 'Authorization' cannot be set here; "
         "credentials go by 'auth', the rest is the client's own"),
        ("{type: link_header}", "{type: links}", "sources.shop.paging.type: is not a type that can be used; "
         "use none, link_header, next_url, cursor, page or offset"),
        ("{type: link_header}", "{type: cursor, param: after}",
         "sources.shop.paging: give either 'path' (in the answer) or 'from_last' (a field of its last record)"),
        ("{type: link_header}", "{type: cursor, path: a}", "sources.shop.paging.param: is missing"),
        ("{type: link_header}", "{type: cursor, param: a, path: a, more: b, done: c}",
         "sources.shop.paging: give either 'more' or 'done'"),
        ("{type: link_header}", "{type: page, size_param: n}",
         "sources.shop.paging: 'size_param' needs 'size', the number of records to ask for"),
        ("{type: link_header}", "{type: page, size: 0}",
         "sources.shop.paging.size: Input should be greater than or equal to 1"),
        ("paging: {type: link_header}\n", "", "sources.shop: entities.orders.request: 'paging' is missing, here and "
         "for the source; write {type: none} if every answer is whole"),
        ("records: orders", "records: orders\n      paging: {type: offset, page: 1}",
         f"{REQUEST}.paging.page: is not a setting; check the spelling"),
        ("records: orders", "records: orders\n      offset: 5",
         f"{REQUEST}.offset: is not a setting; check the spelling"),
        ("records: orders", "fields: [id]", f"{REQUEST}.records: is missing"),
        ("records: orders", "records: [orders]", f"{REQUEST}.records: must be a text; put quotes around it"),
        ("records: orders", "records: {}",
         f"{REQUEST}.records: Value should have at least 1 item after validation, not 0"),
        ("records: orders", "records: {A: b}", f"{REQUEST}.records.A: 'A' cannot be used; use small letters, digits "
         "and _, a letter first"),
        ("records: orders", "records: orders\n      fields: {orders: [id]}",
         f"{REQUEST}: 'fields' must be a list of names"),
        ("records: orders", "records: {a: b}\n      optional_fields: [id]",
         f"{REQUEST}: 'optional_fields' must be such a list for each relation of 'records'"),
        ("records: orders", "records: orders\n      fields: id", f"{REQUEST}.fields: Input should be a valid list"),
        ("records: orders", "records: {a: b, c: d}", f"{ORDERS}: several relations need a 'query' that joins them"),
        ("path: orders.json", "path: orders.json?status=any",
         f"{REQUEST}.path: give the path below 'url' only; what comes after a ? goes to 'params'"),
        ("path: orders.json", "path: https://y/orders.json",
         f"{REQUEST}.path: give the path below 'url' only; what comes after a ? goes to 'params'"),
        ("path: orders.json", "path: 'x/{password}'",
         "sources.shop: entities.orders.request: '{password}' is never put into an address; use 'auth'"),
        ("path: orders.json", "path: 'x/{login}'",
         "sources.shop: entities.orders.request: '{login}' cannot stand there"),
        ("since: 5", "since: 1.5",
         f"{REQUEST}.params.since: must be a text, a whole number, true or false; put quotes around it"),
        ("since: 5", "since: [{}]",
         f"{REQUEST}.params.since: must be a text, a whole number, true or false; put quotes around it"),
        ("since: 5", "since: '{begin}'",
         f"{ORDERS}: '{{begin}}' is for 'load: daily'; a snapshot of one day would drop all the others"),
        ("    request:", "    load: daily\n    request:",
         f"{ORDERS}: 'load: daily' needs '{{begin}}', '{{begin_unix}}' or '{{ds}}' in a path or in 'params'"),
        ("    request:", "    look_back_days: 3\n    request:",
         f"{ORDERS}: 'look_back_days' is for 'load: daily' with '{{begin}}', which it makes earlier"),
        ("    request:\n      path: orders",
         "    load: daily\n    look_back_days: 3\n    request:\n      path: '{ds}'\n      #",
         f"{ORDERS}: 'look_back_days' is for 'load: daily' with '{{begin}}', which it makes earlier"),
        ("    request:", "    requests:", f"{ORDERS}.requests.path: needs a block of keys below it|"
         f"{ORDERS}.requests.params.path: is missing|{ORDERS}.requests.params.records: is missing|"
         f"{ORDERS}.requests.params.limit: is not a setting; check the spelling|"
         f"{ORDERS}.requests.params.expand: is not a setting; check the spelling|"
         f"{ORDERS}.requests.params.all: is not a setting; check the spelling|"
         f"{ORDERS}.requests.params.since: is not a setting; check the spelling|"
         f"{ORDERS}.requests.records: needs a block of keys below it"),
        ("    request:", "    path: x\n    request:", f"{ORDERS}.path: is not a setting; check the spelling"),
        ("    request:", "    requests: {a: {path: x, records: y}}\n    request:",
         f"{ORDERS}: give either 'request' or 'requests' (each with a name)"),
        ("records: orders", f"records: orders\n      for_each: {{{PARENT}: {{ds: id}}}}",
         f"{REQUEST}: for_each.keep: 'ds' means something else; choose another name"),
        ("records: orders", "records: orders\n      for_each: {path: 'c/{id}', records: c, keep: {id: id}}",
         f"{REQUEST}: for_each: '{{id}}' is known only when its own records have been read"),
        ("records: orders", f"records: orders\n      for_each: {{{PARENT}: {{}}}}",
         f"{REQUEST}.for_each.keep: Dictionary should have at least 1 item after validation, not 0"),
        ("records: orders", f"records: orders\n      for_each: {{{PARENT}: {{a: b}}, for_each: {{}}}}",
         f"{REQUEST}.for_each.for_each: is not a setting; check the spelling"),
        ("path: orders.json", "path: '{login}'\n      for_each: {path: '{host}', records: c, keep: {id: id}}",
         "sources.shop: entities.orders.request: '{login}' cannot stand there"),
        ("orders:\n", "order:\n", "sources.shop: 'order' is not a landing contract; use one of contacts, consents, "
         "referrals, orders, order_lines, refunds, events, messages, survey_responses, tickets"),
    ],
)  # fmt: skip
def test_a_fault(tmp_path, old, new, expected):
    assert old in SHOP
    found = faults(tmp_path, SHOP.replace(old, new, 1))
    assert found == expected.split("|")
    assert "s3cret" not in " ".join(found)


def test_neither_request_nor_two_relations_of_one_name(tmp_path):
    text = SHOP[: SHOP.index("    request:")]
    assert faults(tmp_path, text + "    min_rows: 1\n") == [
        f"{ORDERS}: give either 'request' or 'requests' (each with a name)"
    ]
    requests = (
        "    requests:\n      a: {path: x, records: y}\n      b: {path: x, records: {a: y}}\n    query: select 1\n"
    )
    assert faults(tmp_path, text + requests) == [f"{ORDERS}: two of its relations have the same name; rename one"]
