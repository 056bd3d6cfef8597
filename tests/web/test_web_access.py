"""Every route of the page against every kind of reader, with each of Airflow's auth managers."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest

from tangga import settings
from tangga.local import airflow_home
from tests.web.company import ANI, PERSONAL
from tests.web.people import EVERYBODY, ROLES
from tests.web.sent import BEFORE, hash_of, page_of

REJECTED = page_of("demo_mailchimp", BEFORE)
PLAN = {"destination": "demo_mailchimp", "plan": hash_of("demo_mailchimp", BEFORE)[:16]}
WINBACK = {"name": "winback"}
FIGURES, PERSONS = "figures", "persons"
"""What somebody has to be allowed to see."""
MAY_SEE = {"paul": (), "vera": (FIGURES,), **dict.fromkeys(("mark", "mina", "otto", "admin"), (FIGURES, PERSONS))}

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
"""Route -> what its path is filled with, the form that is sent, and what it shows."""
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


def test_everybody_is_known():
    assert {user for _, user in EVERYBODY} == set(MAY_SEE)


@pytest.mark.parametrize("manager", ROLES)
def test_every_route_is_listed(site_of, manager):
    assert site_of(manager).routes == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
class TestRoles:
    @pytest.mark.parametrize("manager", ROLES)
    def test_nobody_without_login(self, site_of, manager, route):
        with site_of(manager).browser(None) as client:
            assert ask(client, route, Accept="application/json").status_code == 401
            sent_away = ask(client, route)
        assert sent_away.status_code == 303
        led_to = sent_away.headers["location"].removeprefix(site_of(manager).url)
        assert re.match(r"/auth/login/?\?next=", led_to)

    @pytest.mark.parametrize(("manager", "user"), EVERYBODY)
    def test_each_role(self, site_of, manager, user, route):
        with site_of(manager).browser(user) as client:
            answer = ask(client, route)
        assert answer.status_code == (200 if ROUTES[route][2] in MAY_SEE[user] else 403)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        lasts = "assets" in route[1] and answer.status_code == 200
        assert answer.headers["cache-control"] == ("private, max-age=86400" if lasts else "no-store")


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
@pytest.mark.parametrize(("manager", "user"), EVERYBODY)
def test_figures_hold_nothing_personal(site_of, manager, user, path):
    with site_of(manager).browser(user) as client:
        text = client.get(path).text
    assert "</html>" in text
    assert [word for word in PERSONAL if word in text] == []


@pytest.mark.parametrize(("manager", "user"), [(manager, user) for manager, user in EVERYBODY if MAY_SEE[user]])
def test_who_may_answer_is_told_so(site_of, manager, user):
    with site_of(manager).browser(user) as client:
        shown = client.get("/deliveries").text
    assert ("Answer in Airflow" in shown, "Look at it in Airflow" in shown) == (user != "vera", user == "vera")


@pytest.mark.parametrize("manager", ROLES)
def test_a_viewer_is_shown_no_way_to_what_would_be_refused(site_of, manager):
    with site_of(manager).browser("vera") as client:
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
@pytest.mark.parametrize("manager", ROLES)
def test_looks_at_persons_are_in_the_audit_log(site_of, manager, event, route, extra):
    site = site_of(manager)
    before = len(noted(site, event))
    for user in ("mark", "vera"):
        with site.browser(user) as client:
            ask(client, route)
    assert noted(site, event)[before:] == [("mark", extra)]


@pytest.mark.parametrize(
    ("manager", "user", "is_there"),
    [
        ("simple", "vera", True),
        *(("fab", user, user in ("mina", "otto", "admin")) for user in ROLES["fab"]),
    ],
)
def test_who_finds_it_in_the_navigation_of_airflow(site_of, manager, user, is_there):
    site = site_of(manager)
    with site.browser(user) as client:
        client.headers["Accept"] = "application/json"
        answer = client.get(f"{site.url}/api/v2/plugins")
    assert answer.status_code == (200 if is_there else 403)
    plugins = answer.json().get("plugins", [])
    views = [view for plugin in plugins for view in plugin["external_views"] if plugin["name"] == "tangga"]
    found = [(view["name"], view["href"], view["url_route"]) for view in views]
    assert found == [("Customers", "crm/", "customers")] * is_there


def test_who_logs_in_at_fabs_own_form_is_led_back(fab_site):
    with fab_site.browser(None) as client:
        client.follow_redirects = True
        form = client.get("/deliveries")
        assert form.url.path == "/auth/login/"
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text).group(1)
        login = {"username": "vera", "password": fab_site.password("vera"), "csrf_token": token}
        shown = client.post(form.url, data=login)
    assert shown.url.path == "/crm/deliveries"
    assert "What was sent where" in shown.text
