"""The fakes keep the rules that the tools document, or tests against them would prove nothing."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.fakes.hubspot import HubSpot
from tests.fakes.mailchimp import Mailchimp
from tests.fakes.shopify import Shopify, line
from tests.fakes.typeform import Typeform, said
from tests.fakes.zendesk import Zendesk

ORDERS = "/admin/api/2026-04/orders.json"


def get(fake, path: str, headers: dict | None = None, **params) -> httpx.Response:
    if headers is None:
        headers = {"Authorization": f"Bearer {fake.token}", "X-Shopify-Access-Token": fake.token}
    return httpx.get(fake.url + path, params=params or None, headers=headers, timeout=5)


@pytest.mark.parametrize("tool", [Shopify, Mailchimp, HubSpot, Zendesk, Typeform])
def test_nobody_is_let_in_without_the_token(tool):
    paths = {
        Shopify: ORDERS, Mailchimp: "/3.0/ping", HubSpot: "/crm/objects/2026-09/contacts",
        Zendesk: "/api/v2/incremental/tickets/cursor.json", Typeform: "/forms/x/responses",
    }  # fmt: skip
    with tool() as fake:
        assert get(fake, paths[tool], headers={}).status_code == 401
        assert get(fake, paths[tool]).status_code != 401
        assert [(asked.method, asked.path) for asked in fake.asked] == [("GET", paths[tool])] * 2


def test_shopify_bucket_runs_over_and_leaks():
    with Shopify(bucket=3) as shop:
        assert [get(shop, ORDERS).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = get(shop, ORDERS)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2.0")
        time.sleep(0.6)
        assert get(shop, ORDERS).status_code == 200


def test_shopify_pages_by_link_and_lets_nothing_stand_beside_page_info():
    with Shopify(max_page=2) as shop:
        ids = {shop.add_order([line(1, 1, "1.00")])["id"] for _ in range(5)}
        shop.add_order([line(1, 1, "1.00")], closed_at="2026-03-10T10:00:00+07:00")
        first = get(shop, ORDERS, limit=250)
        address, seen = first.links["next"]["url"], [order["id"] for order in first.json()["orders"]]
        refused = httpx.get(address + "&status=any", headers=first.request.headers)
        assert refused.status_code == 400
        assert refused.json()["errors"]["status"].startswith("status cannot be passed when page_info is present.")
        while address:
            page = httpx.get(address, headers=first.request.headers)
            seen += [order["id"] for order in page.json()["orders"]]
            address = page.links.get("next", {}).get("url")
        assert len(seen) == 5
        assert set(seen) == ids
        assert get(shop, ORDERS, page_info="nonsense").json() == {"errors": {"page_info": "Invalid value."}}
        assert len(get(shop, ORDERS, status="closed", fields="id").json()["orders"][0]) == 1


def test_mailchimp_speaks_in_problems_and_hides_the_archived():
    with Mailchimp() as tool:
        tool.add_member("ani@example.com")
        tool.add_member("gone@example.com", "archived")
        members = f"/3.0/lists/{tool.list_id}/members"
        basic = httpx.get(tool.url + members, auth=("anybody", tool.token)).json()
        assert (basic["total_items"], basic["members"][0]["email_address"]) == (1, "ani@example.com")
        assert get(tool, members, status="archived").json()["total_items"] == 1
        missing = get(tool, "/3.0/lists/ffffffffff/members")
        assert missing.headers["Content-Type"].startswith("application/problem+json")
        assert set(missing.json()) == {"type", "title", "status", "detail", "instance"}
        assert get(tool, members, count=1001).status_code == 400


def test_hubspot_gives_few_properties_unasked_and_counts_ten_seconds():
    with HubSpot(requests=3) as portal:
        portal.add_contact("ani@example.com", city="Jakarta")
        path = "/crm/objects/2026-09/contacts"
        assert "city" not in get(portal, path).json()["results"][0]["properties"]
        assert get(portal, path, properties="city").json()["results"][0]["properties"]["city"] == "Jakarta"
        assert get(portal, path, limit=100, propertiesWithHistory="city").status_code == 400
        assert get(portal, path).json()["policyName"] == "TEN_SECONDLY_ROLLING"


def test_zendesk_streams_from_a_time_to_the_end():
    with Zendesk(requests=4) as desk:
        path = "/api/v2/incremental/tickets/cursor.json"
        desk.add_ticket(desk.add_user("ani@example.com"))
        page = get(desk, path, start_time=0, include="users").json()
        assert page["end_of_stream"] is True
        assert [user["email"] for user in page["users"]] == ["ani@example.com"]
        assert "metric_sets" not in page
        assert get(desk, path, cursor=page["after_cursor"]).json()["tickets"] == []
        assert get(desk, path, start_time=int(time.time())).status_code == 422
        assert get(desk, path).status_code == 400
        refused = get(desk, path)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")


def test_typeform_goes_back_in_time():
    with Typeform(bucket=100) as tool:
        form = tool.add_form("NPS", "u6nXL7")
        tokens = [
            tool.respond(form, f"2026-03-10T0{hour}:00:00Z", said("q", "nps", hour))["token"] for hour in range(3)
        ]
        path = "/forms/u6nXL7/responses"
        first = get(tool, path, page_size=2).json()
        assert ([item["token"] for item in first["items"]], first["page_count"]) == ([tokens[2], tokens[1]], 2)
        assert [item["token"] for item in get(tool, path, before=tokens[1]).json()["items"]] == [tokens[0]]
        assert get(tool, path, before=tokens[0]).json()["items"] == []


def test_faults_come_when_ordered_and_only_once():
    with Mailchimp() as tool:
        tool.faults.next(503, times=2, after=1)
        tool.faults.drop(after=1)
        tool.faults.truncated()
        tool.faults.html()
        assert [get(tool, "/3.0/ping").status_code for _ in range(4)] == [200, 503, 503, 200]
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            get(tool, "/3.0/ping")
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete|without sending complete"):
            get(tool, "/3.0/ping")
        assert get(tool, "/3.0/ping").headers["Content-Type"].startswith("text/html")
        assert get(tool, "/3.0/ping").json() == {"health_status": "Everything's Chimpy!"}
        assert [asked.status for asked in tool.asked] == [200, 503, 503, 200, 0, 200, 200, 200]
        tool.faults.slow(0.3)
        begun = time.monotonic()
        assert get(tool, "/3.0/ping").status_code == 200
        assert time.monotonic() - begun >= 0.3
