"""Where an API is and how one is let in: what the source says, filled with what its Airflow connection holds."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlsplit

import httpx

from tangga.settings import RestSource
from tangga.settings.placeholders import filled, within
from tangga.settings.rest import BasicAuth, HeaderAuth
from tangga.sources.connections import Connection
from tangga.sources.records import SourceRefused

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

_ALWAYS = {"accept": "application/json", "user-agent": "tangga"}


def values(source: RestSource, connection: Connection) -> dict[str, str]:
    """What fills placeholders: `settings`, and over them the plain values of the connection's extra."""
    plain = {name: value for name, value in connection.extra.items() if isinstance(value, str | int)}
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in plain.items()}
    return source.settings | texts


def unfilled(where: str, name: str) -> SourceRefused:
    """The refusal of a placeholder that nothing fills."""
    return SourceRefused(
        f"{where}: nothing fills '{{{name}}}'; correct it, or put '{name}' under 'settings' in tangga.yml or into the "
        "extra of the connection in Airflow."
    )


def base(where: str, source: RestSource, connection: Connection) -> str:
    """The base address, without a slash at its end. Raises `SourceRefused`."""
    known = values(source, connection) | {"host": host(connection), "login": connection.user or ""}
    for name in sorted(within(source.url)):
        if not known.get(name):
            raise unfilled(f"{where}, url '{source.url}'", name)
    # a host may be a whole base address, and then knows its scheme best
    address = re.sub("^https?://(?=https?://)", "", filled(source.url, known)).rstrip("/")
    address = address if "://" in address else f"https://{address}"
    if not is_base(address):
        raise SourceRefused(
            f"{where}, url '{source.url}': with the connection filled in this is no address of an API; correct it, or "
            "the host of the connection in Airflow."
        )
    if is_exposed(address) and values(source, connection).get("insecure") != "true":
        raise SourceRefused(f"{where}: {EXPOSED}.")
    return address


EXPOSED = (
    "would send its secret over plain http; use https, or, in a network that you trust, put "
    '"insecure": true into the extra of the connection in Airflow'
)


def is_base(address: str) -> bool:
    """Whether an API can be asked below this address, and nothing secret is in it."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
        httpx.URL(address)  # it has its own mind about international names
    except (ValueError, httpx.InvalidURL):
        return False
    return bool(is_address) and parts.username is None and not re.search(r"[?#\s]", address)


def is_exposed(address: str) -> bool:
    """Whether others could read what goes there."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _THIS_MACHINE


def host(connection: Connection) -> str:
    """The connection's host, and its port where the host has none."""
    scheme, rest = re.fullmatch("(https?://)?(.*)", (connection.host or "").strip().rstrip("/"), re.S).groups()
    host, slash, path = rest.partition("/")
    port = f":{connection.port}" if host and connection.port and not re.search(r":\d+$", host) else ""
    return f"{scheme or ''}{host}{port}{slash}{path}"


def headers(where: str, source: RestSource, connection: Connection) -> dict[str, str]:
    """The headers of every call, the secret among them. Raises `SourceRefused`."""
    said = _ALWAYS | {name.lower(): value for name, value in source.headers.items()} | _auth(where, source, connection)
    for name, value in said.items():
        if not re.fullmatch("[ -~]*", value):
            raise SourceRefused(
                f"{where}: header '{name}' would have letters that no header can carry; correct it in tangga.yml, or "
                "the secret in the connection in Airflow."
            )
    return said


def _auth(where: str, source: RestSource, connection: Connection) -> dict[str, str]:
    auth, secret = source.auth, connection.password
    if auth is None:
        return {}
    if not secret:
        raise SourceRefused(f"{where}: the connection has no password, the secret of 'auth'; give it in Airflow.")
    if isinstance(auth, HeaderAuth):
        return {auth.name.lower(): f"{auth.prefix} {secret}" if auth.prefix else secret}
    if not isinstance(auth, BasicAuth):
        return {"authorization": f"Bearer {secret}"}
    username = auth.username or connection.user
    if not username:
        raise SourceRefused(f"{where}: the connection has no login; give it in Airflow, or 'username' in 'auth'.")
    return {"authorization": "Basic " + base64.b64encode(f"{username}:{secret}".encode()).decode()}
