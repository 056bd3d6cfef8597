"""`make up` and `make down` for real, with the e-mail tools to play with: four processes, the API with its logins, what
people do there in a browser from the login to the sent list, and nothing left behind. One start for all of it; the
tests go through one day, in this order."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import date, timedelta

import duckdb
import httpx
import psutil
import pytest

from tangga.local import demo_tools
from tests.e2e.running import Airflow, free_port
from tests.e2e.visiting import customers, download, figures, follow, rows, visitor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]  # a fixture waits for a whole first day
DAGS = {"crm_land", "crm_build", "crm_activate"}
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    running = Airflow(tmp_path_factory.mktemp("up") / "home", free_port())
    try:
        started = running.command("up", "--detach", "--port", str(running.port))
        assert started.returncode == 0, started.stdout + started.stderr
        assert f"{running.url}/plugin/customers/crm/" in started.stdout
        yield running
    finally:
        running.command("down")


@pytest.fixture(scope="module")
def published(airflow):
    """The first day's version, once its lists lie in files and both e-mail tools wait for somebody."""
    airflow.await_questions(airflow.token("admin"))
    return (airflow.home / "published" / "current").resolve()


def asked(database, sql: str) -> list[tuple]:
    with closing(duckdb.connect(str(database), read_only=True)) as con:
        return con.execute(sql).fetchall()


def members_of_winback(published) -> dict[str, str]:
    """Address -> why."""
    return dict(
        asked(
            published / "private.duckdb",
            "select email, why from audiences.audience_members join core.dim_customers using (customer_id) "
            "where audience = 'winback'",
        )
    )


def tagged(airflow, tag: str) -> set[str]:
    """Who has a tag in the e-mail tool, as its own API says."""
    tool = json.loads(demo_tools.connections(airflow.port)["AIRFLOW_CONN_DEMO_MAILCHIMP"])
    url = f"{tool['host']}/3.0/lists/a1b2c3d4e5/members"
    found = httpx.get(url, params={"count": 1000}, auth=("any", tool["password"])).json()
    assert found["total_items"] == len(found["members"])
    return {one["email_address"] for one in found["members"] if tag in [tag["name"] for tag in one["tags"]]}


def test_all_four_are_healthy(airflow):
    status, health = airflow.request("/api/v2/monitor/health")
    assert status == 200
    assert {part: report["status"] for part, report in health.items()} == {
        "metadatabase": "healthy",
        "scheduler": "healthy",
        "triggerer": "healthy",
        "dag_processor": "healthy",
    }


def test_the_dags_are_there_and_unpaused(airflow):
    token, deadline = airflow.token("admin"), time.monotonic() + 60
    paused: dict[str, bool] = {}
    while not paused.keys() >= DAGS and time.monotonic() < deadline:
        time.sleep(0.5)
        paused = {dag["dag_id"]: dag["is_paused"] for dag in airflow.request("/api/v2/dags", token)[1]["dags"]}
    assert {dag_id: paused.get(dag_id) for dag_id in DAGS} == dict.fromkeys(DAGS, False)
    assert airflow.request("/api/v2/importErrors", token)[1]["import_errors"] == []


def test_nobody_gets_in_without_a_login(airflow):
    assert airflow.request("/api/v2/dags")[0] == 401
    assert airflow.request("/auth/token", body={"username": "admin", "password": "admin"})[0] == 401


def test_a_viewer_may_look_but_not_trigger(airflow):
    token = airflow.token("vera")
    assert airflow.request("/api/v2/dags", token)[0] == 200
    assert airflow.request("/api/v2/dags/crm_land/dagRuns", token, body={"logical_date": None})[0] == 403


def test_from_the_login_to_who_gets_the_winback_mail_and_why(airflow, chromium, published, tmp_path):
    public, members = published / "crm.duckdb", members_of_winback(published)
    assert members
    with visitor(chromium, airflow, "mark") as page:
        assert page.get_by_test_id("dashboard-alerts").get_by_role("link").get_attribute("href").endswith("/crm/")
        shown = customers(page)
        first = figures(shown)
        [(known, may_be_written_to)] = asked(
            public,
            "select count(*), count(*) filter (is_contactable) from core.dim_customers "
            "left join customer.customer_contactability using (customer_id) where channel = 'email'",
        )
        assert (first["Customers"], first["May be written to"]) == (str(known), str(may_be_written_to))
        assert [row[0].split(" ", 1) + [row[2]] for row in rows(shown, "ladder")] == [
            [str(rung), name, str(number)]
            for rung, name, number in asked(
                public,
                "select rung, rung_name, count(*) from customer.customer_lifecycle group by all order by rung desc",
            )
        ]
        assert ["Winback", str(len(members))] in rows(shown, "to-send")

        follow(shown, "Winback")
        assert page.url.endswith("/plugin/customers/crm/audiences/winback")
        assert figures(shown)["Members"] == str(len(members))
        whys = [row[1] for row in rows(shown, "members")]
        assert whys and set(whys) <= set(members.values())
        for kind in ("CSV", "Spreadsheet"):
            listed = download(page, shown, kind, tmp_path)
            assert len(listed) == len(members)
            assert {row["email"]: row["why"] for row in listed} == members
            assert [cell for row in listed for cell in row.values() if cell.startswith(FORMULAS)] == []


def test_a_viewer_sees_figures_and_nobody(airflow, chromium, published):
    members = members_of_winback(published)
    with visitor(chromium, airflow, "vera") as page:
        shown = customers(page)
        assert shown.get_by_role("link", name="Customers").count() == 0
        follow(shown, "Winback")
        assert rows(shown, "members")
        words = shown.locator("body").inner_text()
        assert "•••@" in words
        assert [address for address in members if address in words] == []
        assert shown.get_by_role("button").count() == 0
        listed = f"{airflow.url}/crm/audiences/winback"
        for path in (f"{listed}/people", f"{airflow.url}/crm/customers"):
            answer = page.goto(path)
            assert (answer.status, "Your role does not allow this" in answer.text()) == (403, True)
        own = {"Origin": airflow.url}
        assert page.request.post(f"{listed}/download", form={"kind": "plain"}, headers=own).status == 403


def test_nothing_is_sent_before_somebody_agrees_and_then_it_is(airflow, chromium, published):
    """One question is answered where the page leads to it, the other where Airflow lists them."""
    members, token = set(members_of_winback(published)), airflow.token("admin")
    with visitor(chromium, airflow, "mark") as page:
        shown = customers(page)
        follow(shown, "Deliveries")
        assert {name: rows(shown, f"to-{name}")[0][1] for name in ("files", "demo_mailchimp", "demo_hubspot")} == {
            "files": "sent", "demo_mailchimp": "waits", "demo_hubspot": "waits",
        }  # fmt: skip
        assert tagged(airflow, "crm:winback") == set()
        question = shown.locator("section[aria-labelledby='waiting'] div").filter(has_text="demo_mailchimp")
        question.get_by_role("link", name="Answer in Airflow").click()
        page.get_by_text("to demo_mailchimp?").wait_for()
        page.get_by_role("button", name="Approve").click()

        page.get_by_role("button", name="Browse").click()
        page.get_by_role("menuitem", name="Required Actions").click()
        page.get_by_role("link", name="to demo_hubspot?").click()
        page.get_by_role("button", name="Reject").click()
        [run] = airflow.await_runs("crm_activate", 1, token)

    assert run["state"] == "success"
    states = airflow.tasks(run, token)
    assert {task: state for task, state in states.items() if task[0].startswith("activate.")} == {
        ("activate.approve", 0): "success", ("activate.approve", 1): "success", ("activate.approve", 2): "skipped",
        ("activate.deliver", 0): "success", ("activate.deliver", 1): "success", ("activate.deliver", 2): "skipped",
    }  # fmt: skip
    assert tagged(airflow, "crm:winback") == members
    with visitor(chromium, airflow, "mark") as page:
        shown = customers(page)
        follow(shown, "Deliveries")
        [after] = rows(shown, "to-demo_mailchimp")
        assert (after[1], after[7].split(",")[0]) == ("sent", "mark")
        assert rows(shown, "to-demo_hubspot")[0][1].startswith("refused")


def test_a_backfill_lands_and_builds_a_past_day_and_sends_nothing(airflow):
    """What the form of the UI sends: times of the day in UTC. That days take turns is the DAGs' (tests/dags)."""
    token = airflow.token("admin")
    [scheduled] = airflow.await_runs("crm_activate", 1, token, seconds=60)
    newest = scheduled["partition_key"]
    past = (date.fromisoformat(newest) - timedelta(days=2)).isoformat()
    sent_before = tagged(airflow, "crm:winback")
    form = {"dag_id": "crm_land", "from_date": f"{past}T00:00:00Z", "to_date": f"{past}T23:59:00Z"}
    form |= {"max_active_runs": 1, "run_backwards": False, "reprocess_behavior": "none", "dag_run_conf": {}}
    assert airflow.request("/api/v2/backfills", token, body=form)[0] == 200

    for dag_id in ("crm_activate", "crm_land", "crm_build"):
        runs = airflow.await_runs(dag_id, 2, token)
        assert [(run["partition_key"], run["state"]) for run in runs] == [(newest, "success"), (past, "success")]
    states = airflow.tasks(airflow.runs("crm_activate", token)[1], token)
    assert {task for (task, _), state in states.items() if state == "success"} == {"is_newest_day"}
    assert tagged(airflow, "crm:winback") == sent_before
    published = airflow.home / "published"
    assert {path.name[:10] for path in (published / "versions").iterdir()} == {newest, past}
    assert (published / "current").readlink().name.startswith(newest)
    delivered = json.loads((airflow.home / "exports" / "files" / "manifest.json").read_text(encoding="utf-8"))
    assert (delivered["as_of_date"], delivered["stale_sources"]) == (newest, [])


def test_a_second_one_in_the_same_home_is_refused(airflow):
    second = airflow.command("up", "--port", str(airflow.port))
    assert second.returncode == 3
    assert f"Airflow is up in {airflow.home} ({airflow.url})" in second.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence(airflow, tmp_path):
    other = Airflow(tmp_path / "home", airflow.port).command("up", "--port", str(airflow.port))
    assert other.returncode == 3
    assert other.stderr == f"Port {airflow.port} is in use by another program: choose another one with PORT=\n"


def test_down_leaves_no_process_also_when_the_parent_was_killed(airflow):
    """Last, for it ends what the others use."""
    state = json.loads((airflow.home / "airflow" / "up.json").read_text())
    psutil.Process(state["pid"]).kill()
    assert len(airflow.processes()) >= 4
    ended = airflow.command("down")
    assert ended.returncode == 0, ended.stderr
    assert airflow.processes() == []
    assert "Nothing is up" in airflow.command("down").stdout
