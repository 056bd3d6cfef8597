"""Who was erased, taken out of every place that Tangga writes: what is others' stays, byte for byte where it can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from tangga import daily_state, files, identities, ledger, memberships, publish, sends
from tangga.engine import literal
from tangga.erasure import finding, removal, requests, steps, traces
from tangga.erasure.blocked import address_id
from tangga.erasure.ledger_rows import Forgetting
from tangga.ledger import database, tables
from tangga.settings import REPOSITORY
from tests.unit import erasures
from tests.unit.erasures import ADDRESS, NEXT, PHONE, found_in, keep_day, parquet
from tests.unit.inbox import DAY

BEFORE = DAY - timedelta(days=1)
HASHED = address_id(ADDRESS)
WORDS = (ADDRESS, PHONE, "0812-3456-7890", "Anindita", "c-ani", "browser-ani", HASHED[6:])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Its data have landed, were published, planned and delivered; Ani is `c-ani`, and was `c-old` the day before."""
    found = erasures.company(tmp_path_factory.mktemp("made"), destinations={"files": {"type": "files"}})
    found.land()
    found.keep_identities(BEFORE, ani="c-old")
    found.keep_identities(DAY)
    for day, ani in ((BEFORE, "c-old"), (DAY, "c-ani")):
        keep_memberships(found, day, ani)
        published(found, day, ani)
    point_to(found, DAY)
    plan_and_lists(found)
    return found


@pytest.fixture
def company(made, tmp_path):
    return erasures.copied(made, tmp_path)


def keep_memberships(company, day: date, ani: str) -> None:
    tables = {
        "members": [("winback", ani, day), ("winback", "c-budi", day)],
        "sizes": [("winback", "email", day, 2, 0, 2)],
    }
    keep_day(company.settings, memberships.NAME, day, memberships.TABLES, tables)
    sent = [("winback", customer, "k", 1, "email", "t", "member", day) for customer in (ani, "c-budi")]
    keep_day(company.settings, sends.NAME, day, {sends.NAME: ("", sends.COLUMNS)}, {sends.NAME: sent})


def published(company, day: date, ani: str) -> None:
    version = publish.folder(company.settings) / "versions" / f"{day}-abc"
    version.mkdir(parents=True)
    for name in ("private", "crm"):
        with duckdb.connect(str(version / f"{name}.duckdb")) as con:
            con.execute("create schema core; create schema metrics; create schema audiences")
            con.execute(f"create table core.customer_identities as from (values ('{ani}', 'shop', '007', true), "
                        "('c-budi', 'shop', '8', true)) t(customer_id, source, contact_id, is_listed)")  # fmt: skip
            con.execute(f"create table core.fct_orders as from (values ('A-1', '{ani}', 10.00), ('A-2', 'c-budi', 20)) "
                        "t(order_id, customer_id, net_amount)")  # fmt: skip
            con.execute(f"create table core.fct_referrals as from (values ('{ani}', 'c-budi'), ('c-citra', '{ani}'), "
                        "('c-budi', 'c-citra')) t(referrer_customer_id, referred_customer_id)")  # fmt: skip
            con.execute("create table metrics.nps as select 2 as n_responses, 50.0 as nps")
            con.execute("create table audiences.audience_sizes as select 'winback' as audience, 2 as members")
            con.execute("comment on table core.fct_orders is 'It''s orders.'")
            con.execute("comment on column core.fct_orders.net_amount is 'Money.'")
            if name == "private":
                con.execute(f"create table core.dim_customers as from (values ('{ani}', '{ADDRESS}', 'Anindita'), "
                            "('c-budi', 'budi@toko.example', 'Budi')) t(customer_id, email, first_name)")  # fmt: skip
            con.execute("checkpoint")
            for table in ("core.fct_orders", "metrics.nps") if name == "crm" else ():
                file = version / "parquet" / f"{table.replace('.', '/')}.parquet"
                file.parent.mkdir(parents=True)
                con.execute(f"copy (from {table}) to {literal(file)} (format parquet)")
        os.chmod(version / f"{name}.duckdb", 0o400)
    rows = {"core.customer_identities": 2, "core.fct_orders": 2, "core.fct_referrals": 3, "metrics.nps": 1}
    said = publish.Version(version.name, day.isoformat(), "code", rows, landing={"shop.contacts": "x"})
    files.write_atomically(version / "manifest.json", json.dumps(said.__dict__))


def point_to(company, day: date) -> None:
    base = publish.folder(company.settings)
    (base / "current").symlink_to(f"versions/{day}-abc")
    for name in ("crm.duckdb", "private.duckdb"):
        (base / name).symlink_to(f"current/{name}")


def plan_and_lists(company) -> None:
    plan = company.home / "state" / "plans" / f"{DAY}-123"
    (plan / "changes").mkdir(parents=True)
    budi = "('winback', 'c-budi', 'budi@toko.example', 'Budi''s, \"the\"')"
    rows = f"(values ('winback', 'c-ani', '{ADDRESS}', 'Anindita'), {budi})"
    members = f"select * from {rows} t(audience, customer_id, email, first_name)"
    changed = f"select email as key, customer_id, email as address from ({members})"
    lists = company.home / "exports" / "files"
    for folder in ("", "mailchimp", "parquet"):
        (lists / folder).mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        for query, file in ((members, plan / "members.parquet"), (changed, plan / "changes" / "mailer.parquet"),
                            (members, lists / "parquet" / "winback.parquet")):  # fmt: skip
            con.execute(f"copy ({query}) to {literal(file)} (format parquet)")
        con.execute(f"copy ({members}) to {literal(lists / 'winback.csv')} (format csv, header true)")
        addresses, file = f'select email as "Email Address" from ({members})', lists / "mailchimp" / "winback.csv"
        con.execute(f"copy ({addresses}) to {literal(file)} (header)")
    formats = {
        kind: {"file": file, "rows": 2, "sha256": files.sha256(lists / file)}
        for kind, file in {
            "plain": "winback.csv",
            "mailchimp": "mailchimp/winback.csv",
            "parquet": "parquet/winback.parquet",
        }.items()
    }
    said = {
        "as_of_date": DAY.isoformat(),
        "audiences": {"winback": {"label": "Winback", **formats["plain"], "formats": formats}},
    }
    files.write_atomically(lists / "manifest.json", json.dumps(said))
    files.write_atomically(plan / "plan.json", json.dumps({"audiences": {"winback": {"rows": 2}}}))
    hashed = [[HASHED, ""], ["email:" + "0" * 64, ""]]
    files.write_atomically(company.home / "state" / "suppressions.json", json.dumps({"suppressed": hashed}))


def read(file, table: str) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as con:
        return con.sql(f"from {table} order by all").fetchall()


# ---- each place


def test_published_versions_lose_the_person_and_keep_all_else(company):
    company.erase()
    for day in (BEFORE, DAY):
        for name in ("private", "crm"):
            file = publish.folder(company.settings) / "versions" / f"{day}-abc" / f"{name}.duckdb"
            assert read(file, "core.customer_identities") == [("c-budi", "shop", "8", True)]
            assert [row[:2] for row in read(file, "core.fct_orders")] == [("A-2", "c-budi")]
            assert read(file, "core.fct_referrals") == [("c-budi", "c-citra")]
            assert read(file, "metrics.nps") == [(2, 50)]
            assert read(file, "audiences.audience_sizes") == [("winback", 2)]
            assert file.stat().st_mode & 0o777 == 0o400
            with duckdb.connect(str(file), read_only=True) as con:
                said = con.sql("select comment from duckdb_tables() where comment is not null union all "
                               "select comment from duckdb_columns() where comment is not null").fetchall()  # fmt: skip
            assert said == [("It's orders.",), ("Money.",)]
        version = publish.read(file.parent)
        assert [row[:2] for row in parquet(file.parent / "parquet" / "core" / "fct_orders.parquet")] == [
            ("A-2", "c-budi")
        ]
        assert parquet(file.parent / "parquet" / "metrics" / "nps.parquet") == [(2, 50)]
        assert version.rows == {
            "core.customer_identities": 1,
            "core.fct_orders": 1,
            "core.fct_referrals": 1,
            "metrics.nps": 1,
        }
    assert publish.current(company.settings).version == f"{DAY}-abc"
    assert read(publish.database(company.settings, "private"), "core.dim_customers") == [
        ("c-budi", "budi@toko.example", "Budi")
    ]


def test_a_version_without_the_person_is_left_alone(company):
    def stamps():
        return {
            path: path.stat().st_mtime_ns
            for path in publish.folder(company.settings).rglob("*.*")
            if path.suffix in (".duckdb", ".parquet")
        }

    before = stamps()
    company.erase(email="stranger@elsewhere.example")
    assert stamps() == before
    assert len(before) == 6 + 2 * 2


def test_what_a_reader_has_open_stays_readable(company):
    with duckdb.connect(str(publish.database(company.settings)), read_only=True) as con:
        assert len(con.sql("from core.fct_orders").fetchall()) == 2
        company.erase()
        assert len(con.sql("from core.fct_orders").fetchall()) == 2


def test_what_days_left_for_later_days_loses_the_person(company):
    company.erase()
    known = company.settings
    for day in (BEFORE, DAY):
        kept = daily_state.files_of(identities.folder(known, day), list(identities.TABLES), "")
        assert {row[2] for row in parquet(kept["records"])} == {"c-budi", "c-citra"}
        assert {row[0] for row in parquet(kept["customer_ids"])} == {"c-budi", "c-citra"}
        assert [row[1:4] for row in parquet(kept["changes"])] == [("moved", "c-budi", "c-citra")]
        assert [row[1] for row in parquet(kept["addresses"])] == ["8"]
        kept = daily_state.files_of(daily_state.folder(known, memberships.NAME, day), list(memberships.TABLES), "")
        assert parquet(kept["members"]) == [("winback", "c-budi", day)]
        assert [row[3] for row in parquet(kept["sizes"])] == [2]
        kept = daily_state.files_of(daily_state.folder(known, sends.NAME, day), [sends.NAME], "")
        assert [row[1] for row in parquet(kept[sends.NAME])] == ["c-budi"]
        assert len(list(identities.folder(known, day).iterdir())) == 5


def test_lists_keep_the_bytes_of_others_and_their_manifest_is_true(company):
    lists = company.home / "exports" / "files"
    before = (lists / "winback.csv").read_bytes().splitlines(keepends=True)
    company.erase()
    assert (lists / "winback.csv").read_bytes() == before[0] + before[2]
    assert b'"Budi\'s, ""the"""' in before[2]
    assert (lists / "mailchimp" / "winback.csv").read_text() == "Email Address\nbudi@toko.example\n"
    assert [row[1] for row in parquet(lists / "parquet" / "winback.parquet")] == ["c-budi"]
    said = json.loads((lists / "manifest.json").read_text())["audiences"]["winback"]
    assert {(each["file"], each["rows"], each["sha256"]) for each in (said, *said["formats"].values())} == {
        (file, 1, files.sha256(lists / file))
        for file in ("winback.csv", "mailchimp/winback.csv", "parquet/winback.parquet")
    }


def test_plans_lose_the_person_and_can_not_be_delivered_any_more(company):
    plan = company.home / "state" / "plans" / f"{DAY}-123"
    before = files.sha256(plan / "members.parquet"), (plan / "plan.json").read_bytes()
    company.erase()
    assert [row[1] for row in parquet(plan / "members.parquet")] == ["c-budi"]
    assert [row[0] for row in parquet(plan / "changes" / "mailer.parquet")] == ["budi@toko.example"]
    assert files.sha256(plan / "members.parquet") != before[0]
    assert (plan / "plan.json").read_bytes() == before[1]


def test_a_build_that_is_at_work_cannot_publish_the_person(company):
    working = company.home / "warehouse" / "working.duckdb"
    log = company.home / "warehouse" / "dbt" / "logs" / "dbt.log"
    for file in (working, log):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(ADDRESS)
    company.erase()
    assert not working.exists()
    assert not log.exists()


def test_the_ledger_forgets_the_person(company):
    with ledger.opened(company.settings) as book, book._writing() as connection:
        for key, customer in ((ADDRESS, "c-ani"), ("budi@toko.example", "c-budi")):
            row = {"destination": "files", "key": key, "customer_id": customer}
            connection.execute(tables.contacts.insert(), [row | {"address": key}])
            connection.execute(tables.memberships.insert(), [row | {"list_name": "winback"}])
            refused = {"destination": "files", "address": key, "status": "cleaned", "heard_at": datetime.now(UTC)}
            connection.execute(tables.refusals.insert(), [refused])
    request = company.erase()
    with database.opened(company.settings) as engine:
        book = Forgetting(engine)
        assert {
            row["key"] for table in (tables.contacts, tables.memberships) for row in book._rows(table.select())
        } == {"budi@toko.example"}
        assert [row["address"] for row in book._rows(tables.refusals.select())] == ["budi@toko.example"]
    assert requests.take(company.settings, request)["removed"]["ledger"] == {"files": 1, "rows": 3}
    for file in (company.home / "state").glob("ledger.sqlite*"):  # and what its journal holds
        assert ADDRESS.encode() not in file.read_bytes()


def test_what_was_typed_past_the_form_is_painted_over(company):
    import sqlite3

    log = company.home / "airflow" / "logs" / "task.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"before\nfailed on {ADDRESS} twice {ADDRESS}\nafter\n")
    with sqlite3.connect(company.home / "airflow" / "airflow.db") as con:
        con.execute("create table dag_run (id integer, conf text)")
        con.execute("create table log (extra text)")
        con.execute(
            "insert into dag_run values (1, ?), (2, 'else')", [json.dumps({"email": "Ani@Toko.example", "x": 1})]
        )
        con.execute("insert into log values (?)", [json.dumps({"conf": {"email": ADDRESS}})])
    with log.open("a") as writer:  # whoever has a log open goes on writing
        request = company.erase(email="Ani@Toko.example")
        writer.write("later\n")
    assert log.read_text() == f"before\nfailed on {'*' * 16} twice {'*' * 16}\nafter\nlater\n"
    with sqlite3.connect(company.home / "airflow" / "airflow.db") as con:
        assert con.execute("select conf from dag_run").fetchall() == [('{"email": "(erased)", "x": 1}',), ("else",)]
        assert con.execute("select extra from log").fetchall() == [('{"conf": {"email": "(erased)"}}',)]
    assert b"toko.example" not in (company.home / "airflow" / "airflow.db").read_bytes().lower()
    removed = requests.take(company.settings, request)["removed"]
    assert (removed["logs and pages"], removed["Airflow's database"]) == (
        {"files": 1, "rows": 1},
        {"files": 1, "rows": 2},
    )
    assert traces.airflow_database(company.settings, []) == removal.Removed()


# ---- all of it


def test_no_file_below_the_home_knows_the_person(company):
    assert {place for place, _ in found_in(company.home, WORDS)} == {
        "landing",
        "rejects",
        "state",
        "published",
        "exports",
    } - {"rejects"}
    request = company.erase()
    assert found_in(company.home, WORDS) == {("landing", ADDRESS)}, "what a friend wrote is the friend's"
    page = (company.home / "erasures" / request / "certificate.md").read_text()
    assert "rows of others that name the person in a text: 1." in page
    assert not (company.home / "state" / "erasures" / request).exists()


def test_the_question_has_counts_and_names_nobody(company):
    request = company.ask()
    said = steps.question(company.settings, request, steps.find(company.settings, request))
    counts = steps.counted(steps.find(company.settings, request))
    assert counts["landing"] == {"files": 10, "rows": 17}
    assert counts["rejects"] == {"files": 2, "rows": 3}
    steps.decide(company.settings, request, True, "vera")
    assert steps.counted(steps.remove(company.settings, request)) == counts
    assert [word for word in (*WORDS, "007", "A-1") if word in said] == []


def test_looking_changes_nothing(company):
    before = {
        path: path.read_bytes() for path in company.home.rglob("*") if path.is_file() and "ledger" not in path.name
    }
    request = company.ask()
    steps.find(company.settings, request)
    after = {
        path: path.read_bytes() for path in company.home.rglob("*") if path.is_file() and "ledger" not in path.name
    }
    assert {path: after[path] for path in before} == before
    assert {path.name for path in after.keys() - before.keys()} == {"request.json", "person.json", "tombstones.key"}


def test_nothing_is_removed_without_a_yes(company):
    request = company.ask()
    steps.find(company.settings, request)
    with pytest.raises(steps.Undecided, match="is asked"):
        steps.remove(company.settings, request)
    steps.decide(company.settings, request, False, "vera")
    with pytest.raises(steps.Undecided, match="is rejected"):
        steps.remove(company.settings, request)
    assert "c-ani" in {row[2] for row in parquet(next(identities.folder(company.settings, DAY).glob("records*")))}
    assert not (company.home / "state" / "erasures" / request).exists()


def test_what_landed_while_somebody_decided_goes_too(company):
    request = company.ask()
    steps.find(company.settings, request)
    with (company.root / "inbox" / "orders.csv").open("a") as file:
        file.write(f"A-9,007,{erasures.AT},paid,IDR,1\n")
    company.land(NEXT)
    steps.decide(company.settings, request, True, "vera")
    steps.remove(company.settings, request)
    assert company.keys("orders", NEXT) == {"A-2"}


# ---- kills

KILLED = """
import os, signal, sys
from tangga import settings
from tangga.erasure import steps
known, left = settings.load(sys.argv[1], sys.argv[2]), int(sys.argv[4])
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "os.chmod", "sqlite3.connect")
def hook(event, arguments):
    global left
    writes = event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "wra" and "+" in arguments[1]
    if event in CHANGES or writes:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
steps.remove(known, sys.argv[3])
for destination in steps.open_destinations(known, sys.argv[3]):
    steps.forget(known, sys.argv[3], destination)
steps.certify(known, sys.argv[3])
"""


@pytest.mark.parametrize("first", [1, 4, 9])
def test_killed_at_any_change_and_run_again_it_comes_to_the_same(company, first):
    """Killed again and again, each time later, until it comes to its end by itself."""
    request = company.ask()
    steps.find(company.settings, request)
    steps.decide(company.settings, request, True, "vera")
    command = [sys.executable, "-c", KILLED, str(company.settings.config_path), str(company.home), request]
    paths = f"{REPOSITORY / 'plugins'}{os.pathsep}{REPOSITORY}"
    ends, at = [], first
    while not ends or ends[-1] != 0:
        done = subprocess.run(
            [*command, str(at)], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        ends.append(done.returncode)
        at += 23
    assert len(ends) > 3
    assert found_in(company.home, WORDS) == {("landing", ADDRESS)}
    row = requests.take(company.settings, request)
    assert (row["state"], set(row["destinations"])) == ("done", {"files"})
    assert {entity: company.keys(entity) for entity in erasures.OTHERS} == erasures.OTHERS
    kept = daily_state.files_of(identities.folder(company.settings, DAY), list(identities.TABLES), "")
    assert {row[2] for row in parquet(kept["records"])} == {"c-budi", "c-citra"}


# ---- finding


@pytest.mark.parametrize("asked", [
    {"email": "ANI@toko.example "}, {"phone": "0812 3456 7890"}, {"contact_id": "007"}, {"customer_id": "c-ani"},
    {"customer_id": "c-ani-before"}, {"email": ADDRESS, "phone": PHONE, "contact_id": "007"},
])  # fmt: skip
def test_a_person_is_found_by_whatever_is_known(company, asked):
    found = finding.find(company.settings, asked)
    assert (found.emails, found.phones, found.customer_ids) == ([ADDRESS], [PHONE], ["c-ani", "c-ani-before"])
    assert found.records == [("shop", "007"), ("shop", HASHED)]
    assert found.orders == [("shop", "A-1")]
    assert found.anonymous == [("shop", "browser-ani")]
    assert found.known_as == {BEFORE.isoformat(): ["c-old"], DAY.isoformat(): ["c-ani"]}


@pytest.mark.parametrize(("asked", "sentence"), [
    ({"email": ADDRESS, "contact_id": "8"}, "No customer has all of email and contact_id"),
    ({"contact_id": "12345"}, "Nobody has the id"),
    ({"email": "no address"}, "The email that was given cannot be read"),
    ({"phone": "12"}, "The phone that was given cannot be read"),
    ({"phone": "0812-1111-2222"}, "2 customers match"),
    ({}, "Nothing was given"),
])  # fmt: skip
def test_nobody_is_guessed(company, asked, sentence):
    """Two customers of one number, which links nobody: a third record of it has another number today."""
    lines = [f"8,{erasures.AT},,0812-1111-2222,", f"9,{erasures.AT},,0812-1111-2222,"]
    (company.root / "inbox" / "contacts.csv").write_text(
        "\n".join(["contact_id,updated_at,email,phone,first_name", *lines]) + "\n"
    )
    company.land(NEXT)
    with pytest.raises(finding.NotOnePerson, match=sentence) as refused:
        finding.find(company.settings, asked)
    assert [value for value in asked.values() if value and value in str(refused.value)] == []


def test_what_others_have_too_stays_usable(company):
    """Budi is known by the address of the household as well."""
    with (company.root / "inbox" / "tickets.csv").open("a") as file:
        file.write(f"t9,8,{ADDRESS},complaint,{erasures.AT}\n")
    company.land(NEXT)
    found = finding.find(company.settings, {"contact_id": "007"})
    assert (found.emails, found.shared) == ([], 1)
    company.erase(contact_id="007")
    assert company.keys("tickets", NEXT) == {"t2", "t9"}


# ---- due


def test_what_is_overdue_is_named(company):
    request = company.ask()
    assert requests.overdue(company.settings) == []
    file = requests.folder(company.settings, request) / "request.json"
    said = json.loads(file.read_text())
    asked_at = datetime.now(UTC) - timedelta(hours=73)
    other = requests.ask(company.settings, {"email": "b@x.example"}, "")
    file = requests.folder(company.settings, other) / "request.json"
    file.write_text(json.dumps(said | {"asked_at": asked_at.isoformat()}))
    assert [sentence.split()[1] for sentence in requests.overdue(company.settings)] == [other]
    assert "nobody has decided" in requests.overdue(company.settings)[0]
    steps.decide(company.settings, other, False, "vera")
    assert requests.overdue(company.settings) == []
