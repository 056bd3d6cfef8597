"""What MySQL and MariaDB say when something goes wrong, as sentences that tell what to do.

Messages of the server are not passed on, except about names and logging in: the others quote values.
"""

from __future__ import annotations

import ssl

import pymysql
from pymysql.constants import CR, ER

from tangga.sources.connections import Connection
from tangga.sources.databases import Lost
from tangga.sources.records import SourceRefused

_FULL = {ER.CON_COUNT_ERROR, ER.USER_LIMIT_REACHED, ER.TOO_MANY_USER_CONNECTIONS}
_UNREACHABLE = _FULL | {
    CR.CR_CONNECTION_ERROR, CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST,
    ER.SERVER_SHUTDOWN, ER.NORMAL_SHUTDOWN, ER.NET_READ_INTERRUPTED, ER.NET_READ_ERROR, ER.NEW_ABORTING_CONNECTION,
}  # fmt: skip

_CONNECTION_KILLED = 1927  # MariaDB's; PyMySQL has no name for it
_LOST = _UNREACHABLE | {ER.LOCK_WAIT_TIMEOUT, ER.LOCK_DEADLOCK, ER.QUERY_INTERRUPTED, _CONNECTION_KILLED}

_TOO_LONG = (ER.STATEMENT_TIMEOUT, ER.QUERY_TIMEOUT)  # MariaDB's and MySQL's

_TABLE = "correct 'table' or 'query' in tangga.yml"
_GRANT = "grant select on it"
_REASONS = {
    ER.NO_SUCH_TABLE: ("there is no such table", _TABLE),
    ER.BAD_DB_ERROR: ("there is no such database", _TABLE),
    ER.NO_DB_ERROR: ("the connection names no database", "name it in Airflow (schema), or write database.table"),
    ER.TABLEACCESS_DENIED_ERROR: ("the connection's user may not read it", _GRANT),
    ER.COLUMNACCESS_DENIED_ERROR: ("the connection's user may not read all of it", _GRANT),
    ER.DBACCESS_DENIED_ERROR: ("the connection's user may not read it", _GRANT),
    ER.DUP_FIELDNAME: ("gives two columns the same name", "rename one in its 'query'"),
}
_ABOUT_NAMES = {
    ER.PARSE_ERROR, ER.BAD_FIELD_ERROR, ER.NON_UNIQ_ERROR, ER.SP_DOES_NOT_EXIST, ER.WRONG_FIELD_WITH_GROUP,
    ER.MIX_OF_GROUP_FUNC_AND_FIELDS, ER.INVALID_GROUP_FUNC_USE, ER.UNKNOWN_TABLE, ER.NONUNIQ_TABLE,
    ER.WRONG_NUMBER_OF_COLUMNS_IN_SELECT,
}  # fmt: skip
"""Errors about what the settings say, not about what the rows hold."""


def on_entry(connection: Connection, where: str, error: pymysql.Error) -> Exception:
    """Why there is no session. The server's own words, which name user and database, tell it best."""
    code, said = (*error.args, "", "")[:2]
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLError):
        return SourceRefused(
            f"{where}: the server's certificate is refused ({getattr(cause, 'verify_message', '') or cause.reason}); "
            "correct ssl_ca or ssl_mode in the connection's extra, or the server's certificate."
        )
    if code in _FULL:
        return Lost("the database cannot be reached (it takes no more connections now)")
    if code in _UNREACHABLE:
        late = "timed out" if isinstance(cause, TimeoutError) else "no answer"
        return Lost(f"the database cannot be reached ({getattr(cause, 'strerror', None) or late})")
    detail = _first_line(said)
    if connection.password and connection.password in detail:
        detail = "it does not say more that may be shown"
    return SourceRefused(
        f"{where}: the database refuses the connection ({detail}); correct user, password or database in Airflow."
    )


def on_reading(where: str, error: Exception, is_late: bool) -> Exception:
    """Why a statement failed; `is_late` when its time was up."""
    code, said = (*error.args, "", "")[:2]
    if is_late or code in _TOO_LONG:
        return SourceRefused(
            f"{where}: the database gave up, as it took too long; raise 'timeout_seconds' in tangga.yml, or read less."
        )
    if code in _LOST or isinstance(error, OSError):
        return Lost("the database ended the connection")
    if code in _REASONS:
        reason, remedy = _REASONS[code]
        return SourceRefused(f"{where}: {reason}; {remedy}.")
    if code in _ABOUT_NAMES:
        return SourceRefused(f"{where}: cannot be run ({_first_line(said)}); correct it in tangga.yml.")
    return SourceRefused(
        f"{where}: the database fails while it is read (error {code}); run its query there to see why."
    )


def _first_line(said: object) -> str:
    return (str(said).strip().splitlines() or ["it does not say why"])[0].removesuffix(".")
