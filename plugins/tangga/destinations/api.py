"""Calls to an e-mail tool: where it is, how one is let in, and what is said of whatever does not come back well."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from contextlib import contextmanager

from tangga.destinations import words
from tangga.destinations.destination import DestinationDown, DestinationRefused
from tangga.http import TO_TOOLS, Client, Denied, Unanswered
from tangga.settings.destinations import Tool
from tangga.sources import connections, rest_address
from tangga.sources.connections import Connection
from tangga.sources.records import SourceRefused

_FOR_GOOD = (None, 401, 402, 403, *range(300, 400))
"""Statuses after which nothing else needs to be tried: the key, the plan or the address is not right."""


def connection_of(name: str, settings: Tool) -> Connection:
    """The Airflow connection of a destination, which has a secret. Raises `DestinationRefused`."""
    try:
        connection = connections.resolve(settings.connection)
    except SourceRefused as error:
        raise DestinationRefused(f"{name}: {error}") from None
    if not connection.password:
        raise DestinationRefused(
            f"{place(name, settings)}: the connection has no password, the tool's key; give it in Airflow."
        )
    return connection


def place(name: str, settings: Tool) -> str:
    """How messages call a destination."""
    return f"{name} (connection '{settings.connection}')"


class Api:
    """A tool's API at `base`, asked by one `Client`. To be closed."""

    def __init__(
        self, where: str, settings: Tool, connection: Connection, base: str, authorization: str, per_second: float
    ):
        """`base` is used unless the connection has a host. Without `authorization` calls have no such header. Raises
        `DestinationRefused`."""
        own = rest_address.host(connection)
        address = own if "://" in own else f"https://{own}" if own else base
        if not rest_address.is_base(address):
            raise DestinationRefused(f"{where}: is at no address of an API; correct the host of the connection.")
        if rest_address.is_exposed(address) and str(connection.extra.get("insecure")).lower() != "true":
            raise DestinationRefused(f"{where}: {rest_address.EXPOSED}.")
        if not authorization.isascii() or not authorization.isprintable():
            raise DestinationRefused(
                f"{where}: the key has letters that no key has; correct the connection in Airflow."
            )
        self.where, self.base = where, address.rstrip("/")
        self._client = Client(
            self.base,
            {"accept": "application/json", "user-agent": "tangga"}
            | ({"authorization": authorization} if authorization else {}),
            settings.timeout_seconds,
            settings.deadline_seconds,
            per_second,
            each_deadline=True,
            advice=TO_TOOLS,
        )

    @property
    def calls(self) -> int:
        """How often the tool was asked, each try counted."""
        return self._client.asked

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, params: dict | None = None, json: object = None, **call) -> dict:
        """The JSON object that is answered, {} for none. `path` is below the base address; `call` may have `headers`
        and `content`, see `Client.call`.

        Raises `DestinationDown`, `DestinationRefused` when no call can succeed, and `Denied` when this one cannot: what
        that means is known where it was made (see `explained`)."""
        try:
            document = self._client.call(method, f"{self.base}/{path}", params, json, as_json=True, **call).document
        except Unanswered as error:
            raise DestinationDown(f"{self.where}: {error}.") from None
        except Denied as error:
            if error.status in _FOR_GOOD:
                raise self.refused(f"{error}{told(error)}") from None
            raise
        return document if isinstance(document, dict) else {}

    def telling(self, answer: dict, *names: str) -> dict:
        """The answer, which has one of these keys. Raises `DestinationDown` for one that has none."""
        if not any(name in answer for name in names):
            raise self.untold()
        return answer

    def untold(self) -> DestinationDown:
        """For an answer of success, an empty one perhaps, that does not tell what was done."""
        return DestinationDown(
            f"{self.where}: does not say what came of a call that it answers; try again later, or look what stands "
            "between this machine and the API, such as a proxy."
        )

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Whatever is denied within refuses the destination: `what` could not be done, in the tool's own words."""
        try:
            yield
        except Denied as error:
            raise self.refused(f"{what}: {error}{told(error)}") from None

    def refused(self, what: str) -> DestinationRefused:
        return DestinationRefused(f"{self.where}: {what}.")


def told(error: Denied) -> str:
    """The tool's own words, to be put behind a message."""
    said = words.said(document_of(error.content))
    return f" (it says: {said})" if said else ""


def document_of(content: bytes | str) -> dict:
    """The JSON object in an answer of whatever status, {} if there is none."""
    try:
        document = json_text.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
