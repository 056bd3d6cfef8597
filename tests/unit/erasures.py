"""A company of three people in two systems, one of whom, Ani, asks to be forgotten."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from tangga import identities, landing, settings
from tangga.contracts import CONTRACTS
from tangga.engine import literal
from tangga.erasure import requests, steps
from tangga.landing import normalise
from tests.unit.inbox import BUSINESS, DAY

ADDRESS, PHONE = "ani@toko.example", "+6281234567890"
AT = "2026-03-01T10:00:00Z"
FILES = {
    "contacts": [
        "contact_id,updated_at,email,phone,first_name",
        f"007,{AT},Ani@Toko.example,0812-3456-7890,Anindita",
        f"8,{AT},budi@toko.example,0812-9999-0000,Budi",
        f"9,{AT},citra@toko.example,,Citra",
    ],
    "consents": [
        "contact_id,email,channel,status,status_at",
        f"007,,email,granted,{AT}",
        f",ANI@toko.example,sms,granted,{AT}",
        f"8,,email,granted,{AT}",
        f",budi@toko.example,sms,granted,{AT}",
    ],
    "referrals": [
        "referrer_contact_id,referred_contact_id,referred_at",
        f"007,8,{AT}",
        f"9,007,{AT}",
        f"8,9,{AT}",
    ],
    "orders": [
        "order_id,contact_id,ordered_at,status,currency,total_amount",
        f"A-1,007,{AT},paid,IDR,1000",
        f"A-2,8,{AT},paid,IDR,2000",
        f"A-3,007,{AT},paid,IDR,not a number",
        f"A-4,9,{AT},paid,IDR,nor this",
    ],
    "order_lines": [
        "order_id,line_number,product_id,quantity,unit_price",
        "A-1,1,coffee,1,1000",
        "A-2,1,tea,1,2000",
    ],
    "refunds": [
        "refund_id,order_id,refunded_at,amount",
        f"R-1,A-1,{AT},10",
        f"R-2,A-2,{AT},10",
    ],
    "events": [
        "event_id,occurred_at,event_type,contact_id,anonymous_id,url",
        f"e1,{AT},page_view,007,browser-ani,",
        f"e2,{AT},page_view,,browser-ani,",
        f"e3,{AT},page_view,007,browser-shared,",
        f"e4,{AT},page_view,8,browser-shared,",
        f"e5,{AT},page_view,,browser-shared,",
        f"e6,{AT},page_view,,browser-new,https://shop.example/?mail=Ani%40toko.example&x=1",
        f"e7,{AT},page_view,,browser-budi,https://shop.example/",
    ],
    "messages": [
        "message_id,contact_id,email,channel,event,occurred_at",
        f"m1,007,,email,sent,{AT}",
        f"m2,,ani@toko.example,email,sent,{AT}",
        f"m3,,budi@toko.example,email,sent,{AT}",
    ],
    "survey_responses": [
        "response_id,contact_id,email,survey,kind,answered_at,score,comment,order_id",
        f"s1,007,,after,nps,{AT},9,good,A-1",
        f"s2,,,after,nps,{AT},8,,A-1",
        f"s3,8,,after,nps,{AT},9,my friend ani@toko.example told me,A-2",
        f"s4,,,after,nps,{AT},7,,A-2",
    ],
    "tickets": [
        "ticket_id,contact_id,email,kind,opened_at",
        f"t1,,ani@toko.example,complaint,{AT}",
        f"t2,8,,complaint,{AT}",
        f"t3,007,,no such kind,{AT}",
        "t4,8",
        "t5,007",
    ],
}
"""The first column is the key. The rejects are Ani's A-3, t3 and t5, and of others A-4 and t4."""

OTHERS = {
    "contacts": {"8", "9"},
    "consents": {"8", None},
    "referrals": {"8"},
    "orders": {"A-2"},
    "order_lines": {"A-2"},
    "refunds": {"R-2"},
    "events": {"e4", "e5", "e7"},
    "messages": {"m3"},
    "survey_responses": {"s3", "s4"},
    "tickets": {"t2"},
}
"""The keys of the rows that are not Ani's."""

OF_ANI = {
    "contacts": 1, "consents": 2, "referrals": 2, "orders": 2, "order_lines": 1, "refunds": 1, "events": 4,
    "messages": 2, "survey_responses": 2, "tickets": 3,
}  # fmt: skip
"""How many rows of each are Ani's, with those that were rejected."""


@dataclass
class Company:
    root: Path
    settings: settings.Settings

    @property
    def home(self) -> Path:
        return self.settings.home

    def land(self, day: date = DAY) -> None:
        for entity in CONTRACTS:
            manifest = landing.land(self.settings, "shop", entity, day)
            landing.record_verdict(self.settings, manifest, "pass", [])

    def rows(self, entity: str, day: date = DAY) -> list[tuple]:
        """The landed rows of a day, but for where they were read."""
        manifest = landing.read_manifest(landing.folder(self.settings, entity, "shop", day))
        file = landing.here(self.settings, manifest)
        with duckdb.connect() as con:
            found = con.sql(
                f"select * exclude (_ds) from read_parquet({literal(file)}, hive_partitioning=false)"
            ).fetchall()
        assert len(found) == manifest.rows
        return found

    def keys(self, entity: str, day: date = DAY) -> set:
        return {row[0] for row in self.rows(entity, day)}

    def rejects(self, entity: str, day: date = DAY) -> list[dict]:
        path = landing.folder(self.settings, entity, "shop", day, "rejects") / "rejects.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def keep_identities(self, day: date = DAY, *, ani: str = "c-ani") -> None:
        """What a build of the day would have kept of customer ids."""
        hashed = {name: f"email:{normalise.hashed_id(f'{name}@toko.example')[6:]}" for name in ("ani", "budi")}
        records = [("007", ani), (hashed["ani"], ani), ("8", "c-budi"), (hashed["budi"], "c-budi"), ("9", "c-citra")]
        tables = {
            "records": [("shop", contact, customer) for contact, customer in records],
            "customer_ids": [(c, "shop", r, day, None) for c, r in ((ani, "007"), ("c-budi", "8"), ("c-citra", "9"))]
            + [("c-ani-before", "shop", hashed["ani"], day, ani)],
            "changes": [(day, "merged", "c-ani-before", ani, 1), (day, "moved", "c-budi", "c-citra", 1)],
            "addresses": [("shop", "007", hashed["ani"]), ("shop", "8", hashed["budi"])],
        }
        keep_day(self.settings, identities.NAME, day, identities.TABLES, tables)

    def ask(self, **given: str) -> str:
        return requests.ask(self.settings, given or {"email": ADDRESS}, requests.REASONS[0])

    def erase(self, **given: str) -> str:
        """An erasure from the request to the certificate."""
        request = self.ask(**given)
        steps.find(self.settings, request)
        steps.decide(self.settings, request, True, "vera")
        steps.remove(self.settings, request)
        for destination in steps.open_destinations(self.settings, request):
            steps.forget(self.settings, request, destination)
        steps.certify(self.settings, request)
        return request


def keep_day(known, name: str, day: date, tables: dict, rows: dict[str, list[tuple]]) -> None:
    from tangga import daily_state

    with duckdb.connect() as con:
        kept = {}
        for table, (_, columns) in tables.items():
            con.execute(f"create table {table} ({', '.join(f'{n} {k}' for n, k in columns.items())})")
            if rows.get(table):
                con.executemany(f"insert into {table} values ({', '.join('?' * len(columns))})", rows[table])
            kept[table] = (table, columns)
        daily_state.keep(daily_state.folder(known, name, day), con, kept)


def company(root: Path, **rest) -> Company:
    """With its files in the inbox; nothing has landed."""
    inbox = root / "inbox"
    inbox.mkdir(exist_ok=True)
    for entity, lines in FILES.items():
        (inbox / f"{entity}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    entities = {entity: {"path": f"{entity}.csv", "max_reject_share": 1} for entity in CONTRACTS}
    config = {"business": BUSINESS, "sources": {"shop": {"path": "inbox", "entities": entities}}, **rest}
    (root / "tangga.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return Company(root, settings.load(root / "tangga.yml", root / "home"))


def copied(made: Company, root: Path) -> Company:
    """The same company in a folder of its own: to land and publish it takes as long as most tests."""
    shutil.copytree(made.root, root, symlinks=True, dirs_exist_ok=True)
    return Company(root, settings.load(root / "tangga.yml", root / "home"))


NEXT = DAY + timedelta(days=1)


def parquet(file) -> list[tuple]:
    return duckdb.sql(f"from read_parquet({literal(file)}, hive_partitioning=false)").fetchall()


def everything(home):
    """Every file below the home as text: decompressed, of Parquet and DuckDB the rows as well as the bytes."""
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        yield path, content
        if content[:2] == b"\x1f\x8b":
            yield path, gzip.decompress(content)
        elif path.suffix == ".parquet":
            yield path, repr(parquet(path)).encode()
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as con:
                names = con.sql("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
                yield path, repr([con.sql(f"from {name}").fetchall() for (name,) in names]).encode()


def found_in(home, words) -> set[tuple[str, str]]:
    return {
        (str(path.relative_to(home)).split("/")[0], word)
        for path, content in everything(home)
        for word in words
        if word.lower().encode() in content.lower()
    }
