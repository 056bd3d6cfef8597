"""Every route of the page against every kind of reader."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tangga import settings
from tangga.local import airflow_home
from tests.web.company import ANI, PERSONAL
from tests.web.sent import BEFORE, hash_of, page_of

REJECTED = page_of("demo_mailchimp", BEFORE)
PLAN = {"destination": "demo_mailchimp", "plan": hash_of("demo_mailchimp", BEFORE)[:16]}
WINBACK = {"name": "winback"}
FIGURES, PERSONS = (200, 200, 200), (403, 200, 200)
"""What a viewer, a user and an admin are answered."""

ROUTES = {
    ("GET", "/"): ({}, None, FIGURES),
    ("GET", "/audiences"): ({}, None, FIGURES),
    ("GET", "/audiences/{name}"): (WINBACK, None, FIGURES),
    ("GET", "/audiences/{name}/people"): (WINBACK, None, PERSONS),
    ("POST", "/audiences/{name}/download"): (WINBACK, {"kind": "plain"}, PERSONS),
    ("GET", "/messages/{campaign}/{step}/{language}"): (
        {"campaign": "winback", "step": 1, "language": "en"},
        None,
        FIGURES,
    ),
    ("GET", "/deliveries"): ({}, None, FIGURES),
    ("GET", "/deliveries/{destination}/{plan}"): (PLAN, None, FIGURES),
    ("GET", "/deliveries/{destination}/{plan}/people"): (PLAN, None, PERSONS),
    ("GET", "/customers"): ({}, None, PERSONS),
    ("POST", "/customers"): ({}, {"who": "nobody@example.org"}, PERSONS),
    ("GET", "/customers/{customer_id}"): ({"customer_id": ANI}, None, PERSONS),
    ("GET", "/assets/{name}"): ({"name": "tangga.css"}, None, FIGURES),
}
"""Route -> what its path is filled with, the form that is sent, and the answers."""
USERS = ("vera", "mark", "admin")
SENT = [route for route in ROUTES if route[0] == "POST"]

HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


def ask(client, route, **headers):
    method, path = route
    filled, form, _ = ROUTES[route]
    return client.request(method, path.format(**filled), data=form, headers=headers)


def test_every_route_is_listed(site):
    assert site.routes == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
class TestRoles:
    def test_nobody_without_login(self, site, route):
        with site.browser(None) as client:
            assert ask(client, route, Accept="application/json").status_code == 401
            sent_away = ask(client, route)
        assert sent_away.status_code == 303
        assert sent_away.headers["location"].startswith("/auth/login?next=")

    @pytest.mark.parametrize("place", range(len(USERS)), ids=USERS)
    def test_each_role(self, site, route, place):
        with site.browser(USERS[place]) as client:
            answer = ask(client, route)
        assert answer.status_code == ROUTES[route][2][place]
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["cache-control"] == ("private, max-age=86400" if "assets" in route[1] else "no-store")


@pytest.mark.parametrize("route", SENT, ids=" ".join)
class TestOrigin:
    @pytest.mark.parametrize(
        "headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
    )
    def test_a_form_of_another_site_is_refused(self, site, route, headers):
        with site.browser("admin") as client:
            assert ask(client, route, **headers).status_code == 403

    def test_a_form_that_says_nothing_of_its_site_is_refused(self, site, route):
        with site.browser("admin") as client:
            del client.headers["Origin"]
            assert ask(client, route).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/audiences", "/audiences/winback", "/audiences/rfm_champions", "/deliveries", REJECTED, "/nowhere"],
)
@pytest.mark.parametrize("user", USERS)
def test_figures_hold_nothing_personal(site, path, user):
    with site.browser(user) as client:
        text = client.get(path).text
    assert "</html>" in text
    assert [word for word in PERSONAL if word in text] == []


def test_a_viewer_is_shown_no_way_to_what_would_be_refused(site):
    with site.browser("vera") as client:
        shown = "".join(client.get(path).text for path in ("/audiences/winback", "/deliveries", REJECTED))
    assert "/download" not in shown
    assert "/people" not in shown
    assert "/customers" not in shown


def noted(site, event: str) -> list[tuple[str, dict]]:
    database = airflow_home.database(settings.load(home=site.home))
    with closing(sqlite3.connect(database)) as con:
        rows = con.execute("select owner, extra from log where event = ? order by id", [event]).fetchall()
    return [(owner, json.loads(extra)) for owner, extra in rows]


@pytest.mark.parametrize(
    ("event", "route", "extra"),
    [
        ("tangga_customer", ("GET", "/customers/{customer_id}"), {"customer_id": ANI, "method": "GET"}),
        ("tangga_customer_search", ("POST", "/customers"), {"method": "POST"}),
        ("tangga_audience_people", ("GET", "/audiences/{name}/people"), {"name": "winback", "method": "GET"}),
        (
            "tangga_delivery_people",
            ("GET", "/deliveries/{destination}/{plan}/people"),
            {**PLAN, "method": "GET"},
        ),
        ("tangga_download", ("POST", "/audiences/{name}/download"), {"name": "winback", "method": "POST"}),
    ],
)
def test_looks_at_persons_are_in_the_audit_log(site, event, route, extra):
    before = len(noted(site, event))
    for user in ("mark", "vera"):
        with site.browser(user) as client:
            ask(client, route)
    assert noted(site, event)[before:] == [("mark", extra)]


def test_it_is_in_the_navigation_of_airflow(site):
    with site.browser("vera") as client:
        client.headers["Accept"] = "application/json"
        plugins = client.get(f"{site.url}/api/v2/plugins").json()["plugins"]
    [view] = [view for plugin in plugins for view in plugin["external_views"] if plugin["name"] == "tangga"]
    assert (view["name"], view["href"], view["url_route"]) == ("Customers", "crm/", "customers")
