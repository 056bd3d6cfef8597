"""A real MariaDB for the tests, from the machine's own packages, that listens on a socket only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pymysql

from tangga.sources.connections import Connection
from tests.unit.postgres import SECRET

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
MODE = "ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES"
"""Lets the statements of a test be the same as for the other databases."""


def program(name: str) -> str | None:
    """The path of a program of MariaDB, None when it is not installed."""
    return shutil.which(name, path=PATH)


class MariaDb:
    """Logins: `root` without a password, `careful` with `SECRET`. As root it runs as the user `mysql`."""

    def __init__(self, folder: Path, *options: str):
        user = ["--user=mysql"] if os.getuid() == 0 else []
        if user:
            shutil.chown(folder, "mysql")
        self.socket = str(folder / "socket")
        data = f"--datadir={folder / 'data'}"
        subprocess.run(
            [program("mariadb-install-db"), "--no-defaults", *user, data, "--auth-root-authentication-method=normal",
             "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [program("mariadbd"), "--no-defaults", *user, data, f"--socket={self.socket}", "--skip-networking",
             f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", *options],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self._wait()
        quoted = SECRET.replace("'", "''")
        self.run(f"create user careful identified by '{quoted}'", database=None)

    def _wait(self) -> None:
        for _ in range(300):
            try:
                return self.run(database=None)
            except pymysql.OperationalError:
                time.sleep(0.1)
        raise AssertionError(Path(self._log.name).read_text(encoding="utf-8", errors="replace")[-2000:])

    def run(self, *statements: str, database: str | None) -> None:
        with self._session(database) as session, session.cursor() as cursor:
            for statement in statements:
                cursor.execute(translated(statement))

    def rows(self, query: str, database: str) -> tuple:
        with self._session(database) as session, session.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _session(self, database: str | None) -> pymysql.Connection:
        return pymysql.connect(
            unix_socket=self.socket,
            user="root",
            database=database,
            autocommit=True,
            sql_mode=MODE,
            init_command="set time_zone = '+00:00'",
        )

    def connection(self, database: str | None, **rest) -> Connection:
        given = {"user": "root", "database": database, "extra": {"unix_socket": self.socket}} | rest
        return Connection("crm_db", "mariadb", **given)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)
        self._log.close()


def translated(statement: str) -> str:
    """PostgreSQL's statement as MariaDB has it: no type with a time zone, and no offsets in its literals."""
    for there, here in (("timestamptz", "_instant"), ("timestamp", "datetime(6)"), ("_instant", "timestamp(6)")):
        statement = re.sub(rf"(?<= ){there}(?=[,)])", here, statement)
    statement = re.sub(r"(?<= )text(?=[,)])", "longtext", statement)
    return re.sub(r"('\d{4}-\d\d-\d\d[ T][\d:.]+)(\+00(:00)?|Z)'", r"\1'", statement)
