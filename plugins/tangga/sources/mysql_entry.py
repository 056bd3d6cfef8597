"""The way into MySQL and MariaDB: address, login and TLS as an Airflow connection gives them.

Of the connection's extra is used what Airflow's own hook for MySQL knows, and the `ssl-*` options of the
command line client. A certificate authority that is named is there to be checked against: server and name
are then verified, which drivers leave undone unless they are asked.
"""

from __future__ import annotations

import json
import ssl

import pymysql

from tangga.sources import mysql_errors
from tangga.sources.connections import Connection
from tangga.sources.records import SourceRefused

SECONDS = 10

_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")


def connect(connection: Connection, where: str, **options) -> pymysql.Connection:
    """A session in utf8mb4, which waits for an answer as long as for the connection; `options` are PyMySQL's.

    Raises `SourceRefused` or `Lost`.
    """
    try:
        seconds = int(connection.extra.get("connect_timeout") or SECONDS)
        return pymysql.connect(
            host=connection.host,
            port=connection.port or 0,
            user=connection.user,
            password=(connection.password or "").encode(),  # PyMySQL itself would write it in latin-1
            database=connection.database,
            unix_socket=connection.extra.get("unix_socket") or None,
            connect_timeout=seconds,
            read_timeout=seconds,
            charset="utf8mb4",
            local_infile=False,
            program_name="tangga",
            **_tls(connection, where),
            **options,
        )
    except pymysql.Error as error:
        raise mysql_errors.on_entry(connection, where, error) from None
    except (RuntimeError, TypeError, ValueError):  # PyMySQL's of its arguments, which are the connection's
        raise SourceRefused(
            f"{where}: the connection cannot be used as it is; correct its host, port, login and extra in Airflow."
        ) from None


def _tls(connection: Connection, where: str) -> dict:
    """What PyMySQL is told about TLS; nothing means that it is used when the server has it."""
    extra = connection.extra
    given = extra.get("ssl") or {}
    try:
        given = json.loads(given) if isinstance(given, str) else dict(given)
    except ValueError:
        raise SourceRefused(f"{where}: 'ssl' in the connection's extra is no JSON object; correct it.") from None
    ca, cert, key = (extra.get(f"ssl_{name}") or given.get(name) for name in ("ca", "cert", "key"))
    mode = str(extra.get("ssl_mode") or ("VERIFY_IDENTITY" if ca else "REQUIRED" if cert else "PREFERRED")).upper()
    if mode not in _MODES:
        raise SourceRefused(f"{where}: 'ssl_mode' in the connection's extra must be one of {', '.join(_MODES)}.")
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    if mode == "PREFERRED" and not (ca or cert):
        return {}
    try:
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = mode == "VERIFY_IDENTITY"
        context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("VERIFY") else ssl.CERT_NONE
        if cert:
            context.load_cert_chain(cert, key, extra.get("ssl_key_password"))
    except OSError as error:
        raise SourceRefused(
            f"{where}: the certificates that the connection's extra names cannot be used "
            f"({error.strerror or type(error).__name__}); correct ssl_ca, ssl_cert and ssl_key in Airflow."
        ) from None
    return {"ssl": context}
