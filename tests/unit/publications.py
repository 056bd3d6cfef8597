"""A home in which dbt has just built two public models and a private one, to be published."""

import json
from datetime import date

import duckdb

from tangga import dbt, settings, warehouse
from tangga.landing import freshness
from tangga.settings import REPOSITORY, Settings

DAY = date(2026, 3, 31)


def home(folder) -> Settings:
    found = settings.load(REPOSITORY / "tangga.yml", folder)
    dbt.target(found).mkdir(parents=True)
    nodes = [
        node("core", "dim_customers", "public", ["customer_id", "email"]),
        node("customer", "customer_rfm", "public", ["customer_id", "segment"]),
        node("staging", "stg_contacts", "private", ["email"]),
    ]
    manifest = {"nodes": {each["unique_id"]: each for each in nodes}}
    (dbt.target(found) / "manifest.json").write_text(json.dumps(manifest))
    build(found, "Champions")
    return found


def node(schema, name, access, columns):
    return {
        "resource_type": "model",
        "schema": schema,
        "name": name,
        "description": f"All {name}, isn't it.",
        "config": {"access": access},
        "unique_id": f"model.tangga.{name}",
        "columns": {
            column: {
                "data_type": "varchar",
                "description": f"The {column}.",
                "config": {"meta": {"pii": True} if column == "email" else {}},
            }
            for column in columns
        },
    }


def build(found, segment):
    warehouse.path(found).unlink(missing_ok=True)
    with duckdb.connect(str(warehouse.path(found))) as con:
        con.execute("create schema core; create schema customer; create schema staging")
        con.execute("create table core.dim_customers as select 'c1' as customer_id, 'ani@example.com' as email")
        con.execute(f"create table customer.customer_rfm as select 'c1' as customer_id, '{segment}' as segment")
        con.execute("create table staging.stg_contacts as select 'ani@example.com' as email")
        con.execute("create schema landing")
        freshness.create_table(con, found, DAY)
