"""What it costs to bring lists to an e-mail tool: a first sync, and the difference of a day after it.

    PYTHONPATH=plugins:. .venv/bin/python bench/activation.py [people] [changed] [tool]     (100,000, 1,000, all tools)

The tools are the fakes of the tests, in a process of their own, with 50 ms before every answer; HubSpot's without its
limit of requests in ten seconds, which otherwise decides. One list of everybody and one of every tenth; on the second
day so many people leave the first list and as many others join it. Prints per tool and day what the tool was asked,
the least that it could have been (rows by the size of a call), rows a second, CPU seconds and the peak memory of the
process that plans and delivers, and what happened twice or was lost. `hubspot+` instead of `hubspot` makes the first
sync without the 50 ms: the day after it is then what is measured.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from math import ceil
from pathlib import Path

import duckdb

from tangga import files, ledger, publish, settings
from tangga.activation import approval, delivery, plan
from tangga.destinations import open_destination
from tangga.settings import REPOSITORY
from tests.fakes.hubspot_writing import HubSpotPortal
from tests.fakes.mailchimp_writing import KEY, MailchimpAccount
from tests.unit.activation import MEMBERS, MESSAGES

DAY = date(2026, 6, 30)
LATENCY = 0.05
TOOLS = {
    "mailchimp": (MailchimpAccount, KEY, "list: a1b2c3d4e5, requests_per_second: 100", {"upsert": 1000, "lists": 500}),
    "hubspot": (
        lambda: HubSpotPortal(requests=10**9),
        "pat-eu1-fake",
        "requests_per_10_seconds: 250",
        {"upsert": 100, "lists": 10_000},
    ),
}
CONFIG = """
business: {{name: Bench, time_zone: Asia/Jakarta, currency: IDR, country: ID}}
sources: {{shop: {{path: inbox, entities: {{contacts: {{path: contacts.csv}}}}}}}}
destinations: {{tool: {{type: {kind}, connection: tool_api, deadline_seconds: 3600, {own}}}}}
"""
PUBLISHED = f"""
create schema core; create schema customer; create schema audiences;
create table people as
select 'c' || i as customer_id, 'p' || i || '@shop-mail.com' as email, i from range({{people}} + {{changed}}) as n (i);
create table members ({MEMBERS}, nps_group varchar);
insert into members by name
select
    unnest(case when i % 10 = 0 then ['winback', 'birthday'] else ['winback'] end) as audience, customer_id,
    'email' as channel, email, 'Ani' as first_name, 'Kak' as greeting_name, 'id' as language, 'prospect' as rung,
    'because' as why, 'k' as entry_key, date '{DAY}' as entered_on, false as is_due
from people where i >= {{first}} and i < {{people}} + {{first}};
create table audiences.audience_due ({MESSAGES});
create table core.dim_customers as select customer_id, email, cast(null as varchar) as phone from people;
create table core.customer_identities as select customer_id, 'shop' as source, customer_id as contact_id from people;
create table core.customer_id_aliases (customer_id_before varchar, customer_id varchar);
create table customer.customer_contactability as
select customer_id, 'email' as channel, cast(null as varchar) as reason from people;
"""


def main(people: int, changed: int, kinds: Sequence[str]) -> None:
    """Measure each tool in a home of its own."""
    spawn = multiprocessing.get_context("spawn")
    for kind, only_later in ((kind.rstrip("+"), kind.endswith("+")) for kind in kinds):
        ours, theirs = spawn.Pipe()
        tool = spawn.Process(target=serve, args=(kind, theirs), daemon=True)
        tool.start()
        url = ours.recv()
        with tempfile.TemporaryDirectory(prefix="tangga-bench-") as home:
            before: dict = {}
            for day, first in (("first sync", 0), ("a day later", changed)):
                ours.send("hurry" if only_later and not first else "take your time")
                done = spawn.Pipe(duplex=False)
                child = spawn.Process(target=measure, args=(kind, url, home, people, changed, first, done[1]))
                child.start()
                found = done[0].recv()
                child.join()
                ours.send("tell")
                said = ours.recv()
                asked = {name: said[name] - before.get(name, 0) for name in said}
                before = said | {"on lists": 0}
                _print(kind, day, found, asked)
        ours.send("stop")
        tool.join()


def serve(kind: str, pipe) -> None:
    """The tool; says what it was asked so far whenever somebody wants to know."""
    with TOOLS[kind][0]() as tool:
        pipe.send(tool.url)
        while (word := pipe.recv()) != "stop":
            if word != "tell":
                tool.faults.latency = 0.0 if word == "hurry" else LATENCY
                continue
            lists = ("crm:winback", "crm:birthday")
            pipe.send(
                {
                    "calls": len(tool.asked),
                    "created": len(tool.effects.of("created")),
                    "joined": len(tool.effects.of("joined")),
                    "left": len(tool.effects.of("left")),
                    "doubled": len(tool.effects.doubled("created")) + len(tool.effects.doubled("joined")),
                    "forbidden": len(tool.effects.forbidden()),
                    "on lists": sum(len(tool.on(name)) for name in lists),
                }
            )


def measure(kind: str, url: str, home: str, people: int, changed: int, first: int, told) -> None:
    """Plan and deliver one day, in a process whose memory is its own."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    os.environ["AIRFLOW_CONN_TOOL_API"] = json.dumps({"conn_type": "http", "host": url, "password": TOOLS[kind][1]})
    folder = Path(home)
    (folder / "tangga.yml").write_text(CONFIG.format(kind=kind, own=TOOLS[kind][2]), encoding="utf-8")
    config = settings.load(folder / "tangga.yml", folder / "var")
    config = config.model_copy(update={"sources": {}, "campaigns": settings.load(REPOSITORY / "tangga.yml").campaigns})
    plan.MEMBERS = "select * from published.members"
    _publish(config, people, changed, first)
    base = resource.getrusage(resource.RUSAGE_SELF)
    clock = time.monotonic()
    with ledger.opened(config) as book, closing(open_destination(config, "tool", {}, "")) as tool:
        book.release("tool", tool.account(), "bench")
    made = plan.make(config, DAY)
    if asked := approval.question(config, "tool", made):
        approval.decide(config, "tool", made, asked, approved=True, by="bench")
    planned = time.monotonic() - clock
    verdict = config.home / "gates" / "outbound" / str(DAY) / f"plan.{plan.read(made)['hash'][:16]}.json"
    files.write_atomically(verdict, json.dumps({"verdict": "pass"}))
    done = delivery.deliver(config, "tool", made, "bench")
    used = resource.getrusage(resource.RUSAGE_SELF)
    sizes, rows = TOOLS[kind][3], dict(done.rows)
    least = ceil(rows.get("upsert", 0) / sizes["upsert"])
    for counts in plan.read(made)["destinations"]["tool"]["lists"].values():
        least += ceil(counts["added"] / sizes["lists"]) + ceil(counts["removed"] / sizes["lists"])
    told.send(
        {
            "rows": rows,
            "least": least,
            "plan": planned,
            "delivery": time.monotonic() - clock - planned,
            "cpu": used.ru_utime + used.ru_stime - base.ru_utime - base.ru_stime,
            "peak": used.ru_maxrss / 1024,
            "base": base.ru_maxrss / 1024,
        }
    )


def _publish(config: settings.Settings, people: int, changed: int, first: int) -> None:
    name = f"v{first}"
    folder = publish.folder(config) / "versions" / name
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "private.duckdb")) as con:
        con.execute("set enable_progress_bar = false")
        con.execute(PUBLISHED.format(people=people, changed=changed, first=first))
    said = {"version": name, "as_of_date": str(DAY), "code_version": "bench", "rows": {}}
    (folder / "manifest.json").write_text(json.dumps(said))
    for link, target in (("current", f"versions/{name}"), ("private.duckdb", "current/private.duckdb")):
        place = publish.folder(config) / link
        place.unlink(missing_ok=True)
        place.symlink_to(target)


def _print(kind: str, day: str, found: dict, asked: dict) -> None:
    rows = sum(found["rows"].values())
    print(f"{kind}, {day}: {found['rows']}")
    print(f"  asked {asked['calls']:,} times, the least for these rows is {found['least']:,}")
    seconds = f"plan {found['plan']:.1f} s, delivery {found['delivery']:.1f} s"
    print(f"  {seconds}: {rows / found['delivery']:,.0f} rows a second")
    print(f"  {found['cpu']:.1f} CPU s; peak {found['peak']:.0f} MB ({found['base']:.0f} before it began)")
    effects = {name: asked[name] for name in ("created", "joined", "left", "doubled", "forbidden", "on lists")}
    print(f"  at the tool: {effects}", flush=True)


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:] if text.isdecimal()]
    main(*given, *(100_000, 1_000)[len(given) :], [text for text in sys.argv[1:] if not text.isdecimal()] or [*TOOLS])
