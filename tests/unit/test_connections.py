"""Airflow's connections, as sources find them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.unit.postgres import SECRET


def resolved(value: str | None, tmp_path) -> str:
    code = "from tangga.sources import connections as c; x = c.resolve('crm_db'); print(x); print('PW', x.password)"
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    if value is not None:
        env["AIRFLOW_CONN_CRM_DB"] = value
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else done.stderr


@pytest.mark.parametrize(
    "value",
    [
        "postgres://ani:p%40ss%2Fword@db.example:5433/crm?sslmode=require",
        '{"conn_type": "postgres", "login": "ani", "password": "p@ss/word", "host": "db.example", "port": 5433, '
        '"schema": "crm", "extra": {"sslmode": "require"}}',
    ],
)
def test_a_connection_is_read_as_airflow_reads_it(value, tmp_path):
    shown, password = resolved(value, tmp_path).splitlines()[-2:]
    assert "kind='postgres', host='db.example', port=5433, database='crm', user='ani')" in shown
    assert password == "PW p@ss/word"
    assert "p@ss" not in shown


@pytest.mark.parametrize("value", [None, '{"conn_type": "postgres", "password": "' + SECRET])
def test_a_connection_that_airflow_does_not_know_or_cannot_read(value, tmp_path):
    errors = resolved(value, tmp_path)
    assert SECRET not in errors
    assert "connection 'crm_db': Airflow has none of that name that can be read; add or correct it" in errors
