"""Where a database is and who may read it, as Airflow's Connections say: never in `tangga.yml`.

This is the one place of the library that asks Airflow, and only when a source needs it; whatever else
Airflow is configured with (environment variables, its database, a secrets backend) is thereby right.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tangga.sources.records import SourceRefused


@dataclass(frozen=True)
class Connection:
    """An Airflow connection. `kind` is its type in lower case, `extra` its further options."""

    id: str
    kind: str
    host: str | None = None
    port: int | None = None
    database: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: dict = field(default_factory=dict, repr=False)


def resolve(connection_id: str) -> Connection:
    """The connection of that id. Raises `SourceRefused`, which never repeats what the connection holds."""
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    variable = f"AIRFLOW_CONN_{connection_id.upper()}"
    try:
        found = AirflowConnection.get(connection_id)
        extra = found.extra_dejson
    except AirflowNotFoundException:
        raise SourceRefused(
            f"connection '{connection_id}': Airflow has none of that name that can be read; add or correct it under "
            f"Admin > Connections, or in {variable}."
        ) from None
    except Exception as error:  # its text may hold the password
        raise SourceRefused(
            f"connection '{connection_id}': Airflow cannot read it ({type(error).__name__}); correct it under "
            f"Admin > Connections, or in {variable}."
        ) from None
    return Connection(
        id=connection_id,
        kind=(found.conn_type or "").lower(),
        host=found.host or None,
        port=found.port,
        database=found.schema or None,
        user=found.login or None,
        password=found.password or None,
        extra=extra if isinstance(extra, dict) else {},
    )
