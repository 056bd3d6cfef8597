"""The templates of APIs all together: read by their own words, with a connection as Airflow keeps it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from contextlib import ExitStack

import pytest
import yaml

from tangga import settings
from tangga.settings import templates
from tests.fakes.hubspot import HubSpot
from tests.fakes.mailchimp import Mailchimp
from tests.fakes.shopify import Shopify, line
from tests.fakes.typeform import Typeform, said
from tests.fakes.zendesk import Zendesk
from tests.unit.inbox import BUSINESS

MORNING = "2026-03-10T02:00:00Z"

DELIVERS = {
    "shopify": {"contacts", "consents", "orders", "order_lines", "refunds"},
    "mailchimp": {"contacts", "consents", "messages"},
    "hubspot": {"contacts", "consents"},
    "zendesk": {"tickets"},
    "typeform": {"survey_responses"},
}


def test_these_are_the_templates_of_apis():
    assert {name for name in templates.names() if templates.read(name)["type"] == "rest"} == set(DELIVERS)


@pytest.mark.parametrize("name", DELIVERS)
def test_a_template_needs_a_connection_only(name, tmp_path):
    path = tmp_path / "tangga.yml"
    path.write_text(yaml.safe_dump({"business": BUSINESS, "sources": {"tool": {"template": name, "connection": "x"}}}))
    source = settings.load(path, tmp_path / "home").sources["tool"]
    assert set(source.entities) == DELIVERS[name]
    assert source.url.startswith("https://{host}")
    assert source.auth is not None
    assert source.requests_per_second is not None
    for entity, spec in source.entities.items():
        assert spec.load == "snapshot" or spec.min_rows == 0, f"{entity}: a day without rows is no fault"


def full(name: str):
    """A tool with a little in it, as the template finds it."""
    if name == "shopify":
        fake = Shopify()
        ani = fake.add_customer(MORNING, email="ani@example.com", email_marketing_consent={"state": "subscribed"})
        fake.refund(fake.add_order([line(1, 1, "10.00")], MORNING, ani), MORNING, "1.00")
    elif name == "mailchimp":
        fake = Mailchimp()
        fake.add_campaign("March", MORNING, fake.add_member("ani@example.com", at=MORNING))
    elif name == "hubspot":
        fake = HubSpot()
        fake.add_contact("ani@example.com", hs_email_optout="true")
    elif name == "zendesk":
        fake = Zendesk()
        fake.add_ticket(fake.add_user("ani@example.com"), MORNING)
    else:
        fake = Typeform(bucket=10)
        fake.respond(fake.add_form("NPS", "u6nXL7"), MORNING, said("likely", "nps", 9))
    return fake


def test_all_of_them_land_by_their_own_words_with_airflows_connections(tmp_path):
    """In a process of its own, as Airflow reads its configuration once; the templates' own pace is kept."""
    with ExitStack() as running:
        fakes = {name: running.enter_context(full(name)) for name in DELIVERS}
        env = os.environ | {"AIRFLOW_HOME": str(tmp_path / "airflow"), "PYTHONPATH": os.pathsep.join(sys.path)}
        for name, fake in fakes.items():
            connection = {"conn_type": "http", "host": fake.url, "password": fake.token}
            connection |= {"login": fake.login} if name == "zendesk" else {}
            env[f"AIRFLOW_CONN_{name.upper()}_API"] = json.dumps(connection)
        own = {"mailchimp": {"list_id": "a1b2c3d4e5"}, "typeform": {"form_id": "u6nXL7"}}
        sources = {
            name: {"template": name, "connection": f"{name}_api", "settings": own.get(name, {})} for name in DELIVERS
        }
        (tmp_path / "tangga.yml").write_text(yaml.safe_dump({"business": BUSINESS, "sources": sources}))
        code = """
            from datetime import date
            from tangga import landing, settings
            known = settings.load("tangga.yml", "home")
            for name, source in known.sources.items():
                for entity in source.entities:
                    landed = landing.land(known, name, entity, date(2026, 3, 10))
                    print("landed", name, entity, landed.rows, landed.rejected)
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    landed = [tuple(text.split()[1:]) for text in done.stdout.splitlines() if text.startswith("landed")]
    assert {(name, entity) for name, entity, *_ in landed} == {(n, e) for n, names in DELIVERS.items() for e in names}
    rows = {"messages": "2"}  # sent and delivered
    assert [counts for _, entity, *counts in landed] == [[rows.get(entity, "1"), "0"] for _, entity, *_ in landed]
    for fake in fakes.values():
        assert fake.token not in done.stdout + done.stderr
        assert {asked.status for asked in fake.asked} == {200}
