"""What was planned and sent of the company of four people: plans, verdicts, a ledger, and what Airflow knows of it.

files            19 and 20 May: sent; 17 May: stopped by the gate
demo_mailchimp   19 May: approved and sent, two rows rejected, one withheld; 20 May: waits for somebody
demo_hubspot     19 May: somebody said no; 20 May: its account could not be asked
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from tangga import ledger, settings
from tangga.destinations.destination import Receipt, Rejected
from tangga.ledger import ChunkId
from tangga.local import airflow_home
from tests.web.company import AS_OF, BUDI, CITRA, PEOPLE

BEFORE = date(2026, 5, 19)
STOPPED = date(2026, 5, 17)
ACCOUNT = "Toko Tangga, audience 'Pelanggan' [a1b2c3d4e5]"
REASONS = [f"Nothing was ever sent to this account ({ACCOUNT}): see that it is the right one.", "winback: a new list."]
WAITS_IN = "manual__2026-05-21T04:00:00+00:00"
WORDS = "budi@example.com looks fake or invalid"
"""What the tool said of a row; a tool should not name anybody, and this one does."""


def hash_of(destination: str, day: date) -> str:
    return hashlib.sha256(f"{destination} {day}".encode()).hexdigest()


def page_of(destination: str, day: date) -> str:
    return f"/deliveries/{destination}/{hash_of(destination, day)[:16]}"


def everything(home: Path) -> None:
    """Write all of it into a home that has a published version."""
    config = settings.load(home=home)
    version = json.loads((home / "published" / "current" / "manifest.json").read_text(encoding="utf-8"))["version"]
    for day, of in ((STOPPED, "older"), (BEFORE, "older"), (AS_OF, version)):
        _plan(home, day, of, verdict="stop" if day == STOPPED else "pass")
    with ledger.opened(config) as book:
        for day in (BEFORE, AS_OF):
            _deliver_files(book, home, day)
        _deliver_mailchimp(book, home)
        book.decide(hash_of("demo_hubspot", BEFORE), "demo_hubspot", "rejected", "mark", ["winback: a new list."])


def _plan(home: Path, day: date, version: str, verdict: str) -> None:
    whole = {"before": 1, "added": 1, "removed": 0, "updated": 1, "unchanged": 0, "after": 2}
    destinations = {
        name: {
            "hash": hash_of(name, day),
            "basis": None if name == "files" else 0,
            "audiences": ["winback"],
            "lists": {"winback": whole} if name == "files" else {"winback": whole, "winback:1": whole},
            "operations": {"replace": 2} if name == "files" else {"remove": 1, "upsert": 2, "add": 3},
        }
        for name in ("files", "demo_mailchimp", "demo_hubspot")
    }
    for name in ("demo_mailchimp", "demo_hubspot"):
        # As if the plan of the newest day had been made after what was delivered on the day before.
        destinations[name]["basis"] = 2 if (name, day) == ("demo_mailchimp", AS_OF) else 0
    said = {
        "as_of_date": str(day), "hash": hash_of("all", day), "published_version": version, "code_version": "c0de",
        "rules": "ru1es", "stale_sources": [], "audiences": {"winback": {"label": "Winback", "rows": 2}},
        "left_out": {}, "destinations": destinations,
    }  # fmt: skip
    folder = home / "state" / "plans" / f"{day}-{said['hash'][:12]}"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(said), encoding="utf-8")
    gate = home / "gates" / "outbound" / str(day)
    gate.mkdir(parents=True)
    checks = [{"description": "nobody is written to who said no", "success": verdict == "pass"}]
    kept = {"verdict": verdict, "checks": checks}
    (gate / f"plan.{said['hash'][:16]}.json").write_text(json.dumps(kept), encoding="utf-8")


def _people(*customers: str) -> pa.Table:
    addresses = [PEOPLE[customer][2] for customer in customers]
    return pa.table(
        {"key": addresses, "customer_id": customers, "address": addresses, "fields_hash": ["h"] * len(customers)}
    )


def _begun(book, home: Path, destination: str, day: date, approval: str) -> int:
    folder = home / "state" / "plans" / f"{day}-{hash_of('all', day)[:12]}"
    lineage = {"code_version": "c0de", "published_version": "older", "rules_hash": "ru1es"}
    return book.begin_delivery(
        destination, hash_of(destination, day), folder, WAITS_IN, as_of_date=day, gate="pass", approval=approval,
        **lineage,
    )  # fmt: skip


def _deliver_files(book, home: Path, day: date) -> None:
    delivery, chunk = _begun(book, home, "files", day, "within limits"), ChunkId("files", hash_of("files", day), 0)
    rows = _people(*list(PEOPLE)[:2])
    book.begin_chunk(chunk, "replace", "winback", rows)
    book.acknowledge(chunk, "replace", "winback", rows, Receipt())
    book.end_delivery(delivery, "done", {"calls": 1})
    file = {"file": "winback.csv", "rows": 2}
    lists = {"winback": {"label": "Winback", "rows": 2, "formats": {"plain": file}}}
    folder = home / "exports" / "files"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"as_of_date": str(day), "plan": hash_of("files", day), "audiences": lists}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _deliver_mailchimp(book, home: Path) -> None:
    name, plan = "demo_mailchimp", hash_of("demo_mailchimp", BEFORE)
    until = datetime.now(UTC) + timedelta(hours=24)
    book.release(name, ACCOUNT, "mark")
    book.decide(plan, name, "approved", "mark", REASONS, until)
    delivery = _begun(book, home, name, BEFORE, "approved by mark at 2026-05-20T04:10:00Z")
    rows = _people(*list(PEOPLE)[:2])
    for number, (operation, list_name) in enumerate((("upsert", None), ("add", "winback"))):
        chunk = ChunkId(name, plan, number)
        book.begin_chunk(chunk, operation, list_name, rows)
        rejected = [Rejected(PEOPLE[BUDI][2], WORDS)]
        withheld = [Rejected(PEOPLE[CITRA][2], "said no since")] if operation == "upsert" else []
        book.acknowledge(chunk, operation, list_name, rows, Receipt(rejected), withheld)
    book.end_delivery(delivery, "done", {"calls": 5})


def ask(config: settings.Settings) -> None:
    """Let Airflow know of the run whose approval waits, and of the one whose account could not be asked."""
    asked = {"plan_hash": hash_of("demo_mailchimp", AS_OF), "account": ACCOUNT, "reasons": REASONS}
    folder = config.home / "state" / "plans" / f"{AS_OF}-{hash_of('all', AS_OF)[:12]}"
    tasks = (("files", "success"), ("demo_mailchimp", "awaiting_input"), ("demo_hubspot", "failed"))
    with closing(sqlite3.connect(airflow_home.database(config))) as con, con:
        now = "2026-05-21 04:00:00.000000"
        _insert(con, "dag_run", dag_id="crm_activate", run_id=WAITS_IN, run_type="manual", state="running",
                run_after=now, queued_at=now, start_date=now, log_template_id=1, clear_number=0, conf="{}")  # fmt: skip
        (run,) = con.execute("select id from dag_run where run_id = ?", [WAITS_IN]).fetchone()
        for task, said in (("plan", str(folder)), ("list_destinations", [name for name, _ in tasks])):
            _insert(con, "xcom", dag_run_id=run, dag_id="crm_activate", run_id=WAITS_IN, task_id=task, map_index=-1,
                    key="return_value", value=json.dumps(said), timestamp=now, dag_result=False)  # fmt: skip
        for number, (name, state) in enumerate(tasks):
            kwargs = json.dumps({"asked": asked}) if state == "awaiting_input" else "null"
            _insert(con, "task_instance", id=f"{number:032x}", dag_id="crm_activate", run_id=WAITS_IN, state=state,
                    task_id="activate.approve", map_index=number, pool="default_pool", pool_slots=1, try_number=1,
                    max_tries=0, rendered_map_index=name, next_kwargs=kwargs, start_date=now)  # fmt: skip


def _insert(con: sqlite3.Connection, table: str, **values) -> None:
    """With something in the columns that may not be empty and that do not matter here."""
    for _, name, kind, is_needed, default, _ in con.execute(f"pragma table_info({table})").fetchall():
        if is_needed and default is None and name not in values and name != "id":
            values[name] = "" if "CHAR" in kind else 0
    names = ", ".join(values)
    con.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(values))})", list(values.values()))
