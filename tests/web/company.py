"""A published version of four people, with every public table as its contract says it."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path

import duckdb
import yaml

from tangga.settings import REPOSITORY

MODELS = REPOSITORY / "dbt_project" / "models"
AS_OF = date(2026, 5, 20)

ANI, BUDI, CITRA, DEWI = (f"c{number:016x}" for number in range(1, 5))
ANI_BEFORE = f"c{99:016x}"
PEOPLE = {
    ANI: ("Wening", "Wulandari", "ani@example.com", "+628111111111"),
    BUDI: ("<script>alert(1)</script>", "=1+1", "budi@example.com", "+628222222222"),
    CITRA: ("Citra", "Lestari", "citra@example.com", None),
    DEWI: (None, None, None, None),
}
PERSONAL = ("Wening", "Wulandari", "alert(1)", "=1+1", "Citra", "Lestari", "@example.com", "+628", "kartu-wening")
"""What nobody sees who may see no persons."""


def publish(home: Path, as_of: date = AS_OF, members: tuple[str, ...] = (ANI, BUDI), is_empty: bool = False) -> Path:
    """Write a version whose winback list has these members (or one of nobody), and let the pointer lead to it."""
    folder = home / "published" / "versions" / f"{as_of}-tiny"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "private.duckdb")) as con:
        create_tables(con)
        if not is_empty:
            _fill(con, as_of, members)
    manifest = {"version": folder.name, "as_of_date": str(as_of), "code_version": "tests", "rows": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    pointer = home / "published" / ".current"
    pointer.symlink_to(Path("versions") / folder.name)
    os.replace(pointer, home / "published" / "current")
    return folder


def contracts() -> dict[str, dict[str, str]]:
    """Public table -> its columns with their types."""
    tables = {}
    for path in sorted([*MODELS.glob("marts/*/_*.yml"), MODELS / "audiences" / "_membership.yml"]):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            columns = {column["name"]: column.get("data_type") for column in model.get("columns", [])}
            is_private = path.parent.name == "audiences" and model.get("access") != "public"
            if not is_private and columns and all(columns.values()):
                tables[f"{path.parent.name}.{model['name']}"] = columns
    return tables


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    for name, columns in contracts().items():
        con.execute(f"create schema if not exists {name.partition('.')[0]}")
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        con.execute(f"create table {name} ({listed})")


def _fill(con: duckdb.DuckDBPyConnection, as_of: date, members: tuple[str, ...]) -> None:
    def add(table: str, **values) -> None:
        marks = ", ".join("?" * len(values))
        con.execute(f"insert into {table} ({', '.join(values)}) values ({marks})", list(values.values()))

    rungs = {
        ANI: (4, "repeat customer"),
        BUDI: (3, "first-time customer"),
        CITRA: (2, "prospect"),
        DEWI: (2, "prospect"),
    }
    for person, (first, last, email, phone) in PEOPLE.items():
        rung, rung_name = rungs[person]
        both = {"customer_id": person, "as_of_date": as_of}
        add(
            "core.dim_customers", customer_id=person, first_name=first, last_name=last, email=email, phone=phone,
            first_seen_date=date(2025, 1, 1), has_email=email is not None,
        )  # fmt: skip
        add("core.customer_identities", customer_id=person, source="shop", contact_id=f"kartu-{first}".lower())
        add("customer.customer_lifecycle", **both, rung=rung, rung_name=rung_name, reason="because")
        add(
            "customer.customer_lifecycle_history", customer_id=person, rung=rung, rung_name=rung_name, days=30,
            valid_from=date(2026, 5, 12) if person == ANI else date(2025, 1, 1), is_current=True, reason="because",
            began_before=False,
        )  # fmt: skip
        add(
            "customer.customer_360", **both, rung=rung, rung_name=rung_name, rung_why="because", orders=2,
            net_value=250, is_contactable_by_email=person in (ANI, BUDI),
            not_contactable_why=None if email else "no address",
        )  # fmt: skip
        add("customer.customer_personalization", **both, greeting_name=first or "friend", language="id")
        add("customer.customer_contactability", **both, channel="email", is_contactable=person in (ANI, BUDI))
    add(
        "customer.customer_lifecycle_history", customer_id=ANI, rung=3, rung_name="first-time customer", days=100,
        valid_from=date(2026, 1, 1), valid_to=date(2026, 5, 12), is_current=False, reason="bought once",
        began_before=False,
    )  # fmt: skip
    add("core.customer_id_aliases", customer_id_before=ANI_BEFORE, customer_id=ANI)
    for number, customer in enumerate((ANI, ANI, BUDI)):
        add(
            "core.fct_orders", order_id=f"o{number}", source="shop", customer_id=customer, status="completed",
            ordered_at=datetime(2026, 5, 19, 3, number), order_date=date(2026, 5, 19), currency="IDR", net_amount=125,
            is_purchase=True, is_discounted=False,
        )  # fmt: skip
    add(
        "core.fct_messages", message_id="m1", source="mailer", customer_id=ANI, channel="email", event="sent",
        occurred_at=datetime(2026, 5, 18, 1), campaign="kabar_mei",
    )  # fmt: skip
    for segment, person, r, f in (("Champions", ANI, 5, 5), ("Lost", BUDI, 1, 1)):
        add(
            "customer.customer_rfm", customer_id=person, as_of_date=as_of, segment=segment, r_score=r, f_score=f,
            m_score=1, recency_days=1, frequency=2, monetary=250,
        )  # fmt: skip
    for person in members:
        add(
            "audiences.audience_members", audience="winback", customer_id=person, channel="email", as_of_date=as_of,
            why="at risk: last bought 40 days ago", entry_key="2026-04-10", entered_on=as_of, step=1, template="missed",
            is_due=True,
        )  # fmt: skip
    add("audiences.audience_exclusions", audience="winback", customer_id=CITRA, channel="email", reason="no consent")
    excluded = {"channel": "email", "as_of_date": as_of, "excluded": 1, "due": len(members)}
    add("audiences.audience_sizes", audience="winback", members=len(members), **excluded)
    add("audiences.audience_sizes", audience="rfm_champions", members=1, **(excluded | {"due": 0, "excluded": 0}))
    add(
        "audiences.audience_movements", audience="winback", as_of_date=as_of, previous_date=date(2026, 5, 19),
        n_entered=2, n_left=1, n_stayed=0,
    )  # fmt: skip
    add(
        "metrics.source_freshness", source="shop", entity="orders", as_of_date=as_of, is_stale=True, landed_rows=3,
        last_landed_day=date(2026, 5, 18), days_behind=2,
    )  # fmt: skip
    for month in (3, 4):
        add(
            "metrics.nps", period_grain="month", period_start=date(2026, month, 1), dimension="all", nps=30 + month,
            dimension_value="all", n_responses=40, ci_low=20, ci_high=45,
        )  # fmt: skip
        add(
            "metrics.service_levels", period_grain="month", period_start=date(2026, month, 1), dimension="all",
            dimension_value="all", tickets=10, sla_share=0.8,
        )  # fmt: skip
    add("metrics.retention_cohorts", cohort_month=date(2026, 3, 1), months_since=1, customers=8, retained=2,
        retention_rate=0.25)  # fmt: skip
