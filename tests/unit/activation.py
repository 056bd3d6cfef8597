"""A company whose lists a test decides: what a plan is made from, without a build."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from tangga import publish, settings
from tangga.activation import plan
from tangga.settings import REPOSITORY

DAY = date(2026, 5, 20)

MEMBERS = (
    "audience varchar, customer_id varchar, channel varchar, email varchar, phone varchar, first_name varchar, "
    "last_name varchar, greeting_name varchar, language varchar, rung varchar, segment varchar, "
    "preferred_category varchar, recommended_product varchar, coupon_policy varchar, next_birthday date, why varchar, "
    "entry_key varchar, entered_on date, step integer, template varchar, is_due boolean"
)
MESSAGES = (
    "audience varchar, customer_id varchar, entry_key varchar, step integer, channel varchar, template varchar, "
    "test_group varchar, as_of_date date"
)


@dataclass
class Company:
    """`people` are customer ids with their addresses, `lists` audiences with their customers, `due` (audience,
    customer) -> step, `held_out` the same of those that are sent nothing, `names` customer -> first name, `merged`
    retired customer's id -> whose it is now."""

    settings: settings.Settings
    people: dict[str, str] = field(default_factory=dict)
    lists: dict[str, set[str]] = field(default_factory=dict)
    due: dict[tuple[str, str], int] = field(default_factory=dict)
    held_out: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    day: date = DAY
    number: int = 0

    def publish(self, version: str | None = None) -> None:
        """A version that holds this, in place of the one before."""
        self.number += 1
        name = version or f"v{self.number}"
        folder = publish.folder(self.settings) / "versions" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "private.duckdb").unlink(missing_ok=True)
        with duckdb.connect(str(folder / "private.duckdb")) as con:
            for schema in ("core", "customer", "audiences"):
                con.execute(f"create schema {schema}")
            con.execute(f"create table members ({MEMBERS})")
            con.execute(f"create table audiences.audience_due ({MESSAGES})")
            con.execute("create table core.dim_customers (customer_id varchar, email varchar, phone varchar)")
            con.execute(
                "create table core.customer_identities (customer_id varchar, source varchar, contact_id varchar)"
            )
            con.execute("create table core.customer_id_aliases (customer_id_before varchar, customer_id varchar)")
            con.execute(
                "create table customer.customer_contactability (customer_id varchar, channel varchar, reason varchar)"
            )
            rows = {
                "core.dim_customers": [[customer, address, None] for customer, address in self.people.items()],
                "core.customer_identities": [[customer, "shop", customer] for customer in self.people],
                "core.customer_id_aliases": [list(pair) for pair in self.merged.items()],
                "customer.customer_contactability": [[c, "email", self.reasons.get(c)] for c in self.people],
                "members": [self._member(audience, c) for audience, of in self.lists.items() for c in sorted(of)],
                "audiences.audience_due": [
                    [audience, customer, "k", step, "email", "hello", group, self.day]
                    for group, due in (("member", self.due), ("holdout", self.held_out))
                    for (audience, customer), step in due.items()
                ],
            }
            for table, values in rows.items():
                if values:
                    arrays = [pa.array(column) for column in zip(*values, strict=True)]
                    con.register("_rows", pa.table(arrays, [f"c{number}" for number in range(len(arrays))]))
                    con.execute(f"insert into {table} select * from _rows")
        said = {"version": name, "as_of_date": str(self.day), "code_version": "abc", "rows": {}}
        (folder / "manifest.json").write_text(json.dumps(said))
        current = publish.folder(self.settings) / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(f"versions/{name}")
        private = publish.folder(self.settings) / "private.duckdb"
        private.unlink(missing_ok=True)
        private.symlink_to("current/private.duckdb")

    def plan(self) -> Path:
        """Publish what there is now, and plan it."""
        self.publish()
        return self.made()

    def made(self, verdict: str | None = "pass") -> Path:
        """A plan of what is published, on which the outbound gate has said this."""
        folder = plan.make(self.settings, self.day)
        if verdict:
            name = f"plan.{plan.read(folder)['hash'][:16]}.json"
            kept = self.settings.home / "gates" / "outbound" / str(self.day) / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps({"verdict": verdict}))
        return folder

    def _member(self, audience: str, customer: str) -> list:
        step = self.due.get((audience, customer))
        fields = [
            None,
            self.names.get(customer, customer),
            None,
            "Kak",
            "id",
            "prospect",
            None,
            None,
            None,
            "none",
            None,
        ]
        of_list = ["because", "k", self.day, step, "hello" if step else None, step is not None]
        return [audience, customer, "email", self.people[customer], *fields, *of_list]


def company(inbox, monkeypatch, **blocks) -> Company:
    """A company with orders that nobody has landed; `plan.MEMBERS` reads its lists."""
    columns = {name: name for name in ("order_id", "contact_id", "ordered_at", "status", "currency", "total_amount")}
    found = inbox.settings("orders", {"columns": columns}, **blocks)
    campaigns = settings.load(REPOSITORY / "tangga.yml", found.home).campaigns
    monkeypatch.setattr(plan, "MEMBERS", "select * from published.members")
    monkeypatch.setattr(plan.lint, "refused", lambda _: {})
    made = Company(found.model_copy(update={"campaigns": campaigns}))
    made.people = {name: f"{name}@x.example" for name in "abcdefgh"}
    return made
