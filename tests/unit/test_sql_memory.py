"""SQL databases: a table larger than the memory that a run may have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import pytest

from tests.unit.inbox import Inbox

FILL = {
    "server": "create table many as select lpad(i::text, 9, '0') as contact_id, timestamptz '2026-01-01' as updated_at,"
    " repeat(md5(i::text), 8) as comment, md5(i::text) as first_name from generate_series(1, 1000000) i",
    "mariadb": "create table many as select lpad(seq, 9, '0') as contact_id, timestamp('2026-01-01') as updated_at,"
    " repeat(md5(seq), 8) as comment, md5(seq) as first_name from seq_1_to_1000000",
}
DATABASE = {"server": "postgres", "mariadb": "mysql"}


@pytest.mark.parametrize("name", FILL)
def test_memory_stays_flat(name, tmp_path, request):
    """A million rows of 300 bytes take the memory that DuckDB may have, and batches; not their own size."""
    server, database = request.getfixturevalue(name), DATABASE[name]
    server.run(FILL[name], database=database)
    given = server.connection(database)
    code = f"""
        import resource
        from datetime import date
        from tangga import landing, settings
        from tangga.sources import connections
        connections.resolve = lambda _: connections.Connection(
            "crm_db", {given.kind!r}, host={given.host!r}, user={given.user!r}, database={database!r},
            extra={given.extra!r})
        known = settings.load("tangga.yml", "home")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert landing.land(known, "crm", "contacts", date(2026, 3, 10)).rows == 1_000_000
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    spec = {"table": "many", "columns": {"occupation": "comment"}}
    source = {"type": "sql", "connection": "crm_db", "entities": {"contacts": spec}}
    Inbox(tmp_path).settings("contacts", sources={"crm": source})
    env = os.environ | {"TANGGA_MEMORY_LIMIT": "512MB", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    server.run("drop table many", database=database)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert int(re.findall(r"\d+", done.stdout)[-1]) < 1000
