"""The whole way, through Airflow, on the demo company: what a stranger gets from `make run`."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from tangga import audiences, dbt
from tangga.settings import REPOSITORY
from tests.e2e import asked, personal
from tests.e2e.fingerprints import fingerprint
from tests.reference.confusions import as_table, confusions, share_right

pytestmark = pytest.mark.e2e

DAY, DAY_BEFORE = "2026-05-20", "2026-05-19"
MONTH = "metric_time__month"
KEPT = ("landing", "rejects", "published", "exports", "state", "gates")
"""What a rerun must leave alone, byte for byte."""


def run(home: Path, day: str, config: Path | None = None) -> subprocess.CompletedProcess:
    """`make run`, without its set-up."""
    command = [sys.executable, "-m", "tangga.local.run", "--as-of", day, "--home", str(home)]
    return subprocess.run(
        command + (["--config", str(config)] if config else []),
        env=os.environ
        | {"PYTHONPATH": f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}", "TANGGA_DEMO_SCALE": "0.2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo company run for a day, the day after, and then both again."""
    home = tmp_path_factory.mktemp("demo")
    runs, marks = [], []
    for day in (DAY_BEFORE, DAY, DAY, DAY_BEFORE):
        done = run(home, day)
        assert done.returncode == 0, done.stdout + done.stderr
        runs.append(done.stdout)
        marks.append(fingerprint(home, KEPT))
        if len(runs) == 2:
            with (home / "inbox" / "shop" / "contacts.csv").open(encoding="utf-8", newline="") as handle:
                contacts = list(csv.DictReader(handle))
            with (home / "demo_truth" / "rungs.csv").open(encoding="utf-8", newline="") as handle:
                truth = list(csv.DictReader(handle))
    return SimpleNamespace(home=home, runs=runs, marks=marks, contacts=contacts, truth=truth)


@pytest.fixture(scope="module")
def crm(demo):
    with duckdb.connect(str((demo.home / "published" / "crm.duckdb").resolve()), read_only=True) as con:
        yield con


def test_a_second_run_of_the_day_changes_no_byte(demo):
    assert len(demo.marks[1]) > 100
    assert demo.marks[2] == demo.marks[1]


def test_a_past_day_built_after_newer_ones_is_what_it_was_when_it_was_today(demo):
    assert demo.marks[3] == demo.marks[1]
    assert {name for name in demo.marks[0] if name.startswith("published/versions")} <= set(demo.marks[3])


def test_a_past_day_is_not_sent(demo):
    assert f"the newest published day is {DAY}" in demo.runs[3]
    assert json.loads((demo.home / "exports" / "files" / "manifest.json").read_text())["as_of_date"] == DAY


def test_the_summary_says_what_is_in_the_warehouse(demo, crm):
    shown = re.sub(r"\s+", " ", demo.runs[1])
    for rung, name, count in crm.sql(
        "select rung, rung_name, count(*) from customer.customer_lifecycle group by all"
    ).fetchall():
        assert f"{rung} {name} {count:,}" in shown
    nps, low, high = crm.sql(
        "select nps, ci_low, ci_high from metrics.nps where period_grain = 'all' and dimension = 'all'"
    ).fetchone()
    assert f"NPS {nps:.1f} (95 % interval {low:.1f} to {high:.1f}" in shown


def test_every_rung_and_segment_occurs(crm):
    assert crm.sql("select distinct rung from customer.customer_lifecycle order by 1").fetchall() == [
        (rung,) for rung in range(1, 8)
    ]
    assert crm.sql("select count(distinct segment) from customer.customer_rfm").fetchone() == (11,)


def test_the_intended_rung_is_recovered(demo, crm):
    found = confusions(demo.truth, crm)
    assert found.total() > 500
    assert share_right(found) >= 0.95, as_table(found)


def test_records_of_one_person_are_one_customer(demo, crm):
    customers = dict(
        crm.sql("select contact_id, customer_id from core.customer_identities where source = 'shop'").fetchall()
    )
    persons: dict[str, set] = {}
    for row in demo.truth:
        persons.setdefault(row["person_id"], set()).add(customers[row["contact_id"]])
    assert len(persons) < len(demo.truth), "the demo has nobody twice"
    assert {person for person, ids in persons.items() if len(ids) > 1} == set()


@pytest.fixture(scope="module")
def marts(demo):
    """The published Parquet files, as a database."""
    with duckdb.connect() as con:
        for file in sorted((demo.home / "published" / "parquet").glob("*/*.parquet")):
            con.execute(f"create schema if not exists {file.parent.name}")
            con.execute(f"create view {file.parent.name}.{file.stem} as from '{file}'")
        yield con


def test_analysts_see_no_personal_data(demo, crm, marts):
    """Every column of all that they get, searched for the people in it; the search does find them where they are."""
    people = personal.of_demo(demo.home)
    sizes = [len(each) for each in (people.emails, people.phones, people.names, people.texts)]
    assert min(sizes) > 500
    for con in (crm, marts):
        found, looked_at = personal.found(con, people)
        assert found == set()
        assert looked_at > 100_000
    with duckdb.connect(str((demo.home / "published" / "private.duckdb").resolve()), read_only=True) as con:
        assert personal.found(con, people)[0] == {
            *(f"core.dim_customers.{name}" for name in ("birth_date", "email", "first_name", "last_name", "phone")),
            "core.fct_orders.coupon_code",
            "core.fct_refunds.reason",
            "core.fct_survey_responses.comment",
            "core.fct_tickets.topic",
            "customer.customer_personalization.greeting_name",
        }


def test_the_parquet_files_are_the_tables(crm, marts):
    tables = "select table_schema || '.' || table_name from information_schema.tables order by all"
    names = [name for (name,) in crm.sql(tables).fetchall()]
    assert [name for (name,) in marts.sql(tables).fetchall()] == names
    for name in names:
        query = f"select count(*), bit_xor(hash(t)) from {name} as t"
        assert marts.sql(query).fetchone() == crm.sql(query).fetchone(), name
        columns = f"select column_name, column_type from (describe {name})"
        assert marts.sql(columns).fetchall() == crm.sql(columns).fetchall(), name


@pytest.mark.parametrize("file", sorted((dbt.PROJECT / "analyses").glob("*.sql")), ids=lambda file: file.stem)
def test_the_questions_of_analysts_have_answers(crm, file):
    """But those of campaigns, which have to have run for a while."""
    is_too_early = file.stem in ("does_the_winback_work", "what_the_birthday_campaign_returns")
    assert (crm.execute(file.read_text(encoding="utf-8")).fetchall() == []) == is_too_early


def test_logs_and_messages_hold_no_personal_data(demo):
    addresses = {row["email"].strip().lower() for row in demo.contacts if "@" in row["email"]}
    written = " ".join(demo.runs)
    logs = [path for path in (demo.home / "airflow").rglob("*") if path.is_file() and path.suffix in (".log", ".db")]
    logs += list((demo.home / "warehouse" / "dbt").rglob("*.log")) + list((demo.home / "gates").rglob("*.json"))
    assert {"run.log", "airflow.db", "dbt.log"} <= {path.name for path in logs}
    for path in logs:
        written += path.read_bytes().decode("utf-8", errors="replace")
    found = set(re.findall(r"[\w.+'-]+@[\w.-]+\.\w+", written.lower()))
    assert found & addresses == set()


def test_lists_hold_exactly_the_members_and_say_why(demo, crm):
    folder = demo.home / "exports" / "files"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    members: dict[str, set] = {}
    for audience, customer, why in crm.sql(
        "select audience, customer_id, why from audiences.audience_members"
    ).fetchall():
        members.setdefault(audience, set()).add((customer, why))
    assert {path.stem for path in folder.glob("*.csv")} == set(manifest["audiences"]) == set(members)
    excluded = {name for (name,) in crm.sql("select distinct audience from audiences.audience_exclusions").fetchall()}
    assert {entry.name for entry in audiences.load() if not entry.family} <= set(members) | excluded
    assert len(set(members) & {entry.name for entry in audiences.with_campaigns(audiences.load())}) > 5
    for audience, entry in manifest["audiences"].items():
        with (folder / entry["file"]).open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert {(row["customer_id"], row["why"]) for row in rows} == members[audience]
        assert len(rows) == entry["rows"] == len(members[audience])
        assert all("@" in row["email"] for row in rows)
        assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert [cell for row in rows for cell in row.values() if cell and cell[0] in "=+-@\t\r＝＋－＠"] == []


def test_nobody_is_on_a_list_who_left(demo):
    """Against the mailer's own files: whose last word is no, who complained, who unsubscribed for good."""
    latest: dict[str, tuple] = {}
    with (demo.home / "inbox" / "mailer" / "consents.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            if row["changed_at"][:10] <= DAY_BEFORE and row["channel"] == "email":
                key = row["address"].strip().lower()
                latest[key] = max(latest.get(key, ("", "")), (row["changed_at"], row["status"]))
    refused = {address for address, (_, status) in latest.items() if status in ("unsubscribed", "declined")}
    for path in (demo.home / "inbox" / "mailer").glob("messages_*.jsonl"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if message.get("event") == "complained" and message["at"][:10] <= DAY_BEFORE:
                refused.add(message["to"].strip().lower())
    assert len(refused) > 10
    listed = set()
    for path in (demo.home / "exports" / "files").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            listed |= {row["email"] for row in csv.DictReader(handle)}
    assert len(listed) > 100
    assert listed & refused == set()


def test_only_the_owner_can_read(demo):
    open_files = [
        path
        for area in ("landing", "rejects", "published", "exports", "state")
        for path in (demo.home / area).rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077
    ]
    assert open_files == []


def test_a_reader_keeps_the_version_it_opened(demo, crm):
    """`crm` has been open since before; a new connection of the pointer sees the same day."""
    assert crm.sql("select distinct as_of_date from customer.customer_rfm").fetchall()[0][0].isoformat() == DAY


def test_settings_that_cannot_be_used_are_said_in_a_sentence(tmp_path):
    wrong = tmp_path / "tangga.yml"
    wrong.write_text(
        "business: {name: Toko, time_zone: Asia/Djakarta_, currency: IDR, country: ID}\n"
        "sources: {shop: {path: inbox, entities: {contacts: {path: contacts.csv}}}}\ncolour: red\n"
    )
    done = run(tmp_path / "var", "2026-01-31", wrong)
    assert done.returncode == 2
    assert "business.time_zone" in done.stderr
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def mf(demo):
    if asked.MF is None:
        pytest.skip("dbt-metricflow is not installed")
    return lambda *metrics, by="": asked.ask(demo.home, *metrics, by=by)


def test_every_metric_is_asked(demo):
    manifest = json.loads((demo.home / "metrics" / "target" / "semantic_manifest.json").read_text())
    names = [metric["name"] for metric in manifest["metrics"]]
    assert all(metric["label"] and metric["description"] for metric in manifest["metrics"])
    parts = {name for columns in asked.BY_PERIOD.values() for name in columns}
    assert set(names) == {*asked.BY_HAND, *asked.BY_MONTH, *parts}
    assert len(names) == len(set(names))


def number(value):
    """A figure as the marts show it: shares with four decimals, the rest with two."""
    return pytest.approx(float(value), abs=0.005 if abs(value) > 1 else 0.0001)


def test_metrics_are_what_the_marts_say(crm, mf):
    [row] = mf(*asked.BY_HAND)
    by_hand = {name: crm.sql(sql).fetchone()[0] for name, sql in asked.BY_HAND.items()}
    assert {name: value for name, value in by_hand.items() if not value} == {
        "without_cost": 0,
        "without_cost_in_window": 0,
    }
    assert {name: float(value) for name, value in row.items()} == {
        name: number(value) for name, value in by_hand.items()
    }


def test_metrics_by_month_are_what_the_marts_say(crm, mf):
    rows = mf(*asked.BY_MONTH, by=MONTH)
    for name, sql in asked.BY_MONTH.items():
        by_hand = {str(month)[:7]: value for month, value in crm.sql(sql).fetchall() if value is not None}
        assert by_hand, name
        answered = {row[MONTH][:7]: float(row[name]) for row in rows if row[name] and row[MONTH]}
        assert answered == {month: number(value) for month, value in by_hand.items()}, name


def test_metrics_by_rung_are_what_the_marts_say(crm, mf):
    by_hand = crm.sql(
        f"select rung_name, {', '.join(asked.BY_RUNG.values())} from customer.customer_value "
        "inner join customer.customer_lifecycle using (customer_id) group by all"
    ).fetchall()
    rows = mf(*asked.BY_RUNG, by="customer__rung")
    answered = {row["customer__rung"]: [float(row[name] or 0) for name in asked.BY_RUNG] for row in rows}
    assert answered == {rung: [number(value) for value in values] for rung, *values in by_hand}


@pytest.mark.parametrize("mart", asked.BY_PERIOD)
def test_parts_of_scores_are_those_of_one_period_and_slice(crm, mf, mart):
    columns = asked.BY_PERIOD[mart]
    period, slice_ = f"{mart}_period__period", f"{mart}_period__slice"
    by_hand = crm.sql(
        f"select period_grain, dimension, {', '.join(f'sum({column})' for column in columns.values())} "
        f"from metrics.{mart} group by all"
    ).fetchall()
    rows = mf(*columns, by=f"{period},{slice_}")
    assert sorted((row[period], row[slice_], *(int(float(row[name])) for name in columns)) for row in rows) == sorted(
        by_hand
    )
