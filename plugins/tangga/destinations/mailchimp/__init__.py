"""Mailchimp, by its Marketing API 3.0: one audience, whose members are known by their addresses.

No request carries `status`, so that nobody who left is subscribed again, and only tags with our prefix are touched.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from tangga.destinations import api
from tangga.destinations.api import Api
from tangga.destinations.destination import Chunk, DestinationRefused, Receipt, Refusal
from tangga.destinations.mailchimp import members, refusals
from tangga.destinations.mailchimp.fields import Fields
from tangga.destinations.mailchimp.operations import Operations
from tangga.destinations.mailchimp.tags import Tags
from tangga.settings import MailchimpDestination

__all__ = ["Mailchimp", "connect"]


def connect(settings: MailchimpDestination, name: str) -> Mailchimp:
    """The destination called `name`; nothing is asked yet. Raises `DestinationRefused`."""
    where, connection = api.place(name, settings), api.connection_of(name, settings)
    centre = re.fullmatch(r".+-([a-z]+[0-9]+)", connection.password.strip())
    if not centre and not connection.host:
        raise DestinationRefused(
            f"{where}: the password does not end like a key of Mailchimp's (-us6), which names the data centre; "
            "correct it in Airflow, or give the host there, such as us6.api.mailchimp.com."
        )
    base = f"https://{centre[1]}.api.mailchimp.com" if centre else ""
    authorization = "Basic " + b64encode(f"tangga:{connection.password.strip()}".encode()).decode()
    return Mailchimp(Api(where, settings, connection, base, authorization, settings.requests_per_second), settings)


class Mailchimp:
    """See `destination.Destination`."""

    identity = "address"
    needs_release = True

    def __init__(self, api: Api, settings: MailchimpDestination):
        self._api, self._settings = api, settings
        self._list = f"3.0/lists/{settings.list}"
        self._fields = Fields(api, self._list)
        self._tags = Tags(api, self._list, settings.tag_prefix)
        self._operations = Operations(api, settings)
        self.sizes = {"remove": 500, "stop": 1000, "upsert": 1000, "add": 500, "erase": 100}
        if settings.when_refused == "keep":
            del self.sizes["stop"]

    def account(self, lists: Collection[str] = ()) -> str:
        account = self._api.ask("GET", "3.0/", {"fields": "account_name"})
        with self._api.explained(f"audience '{self._settings.list}' cannot be read"):
            found = self._api.ask("GET", self._list, {"fields": "id,name"})
        self._fields.check(is_known=bool(lists))
        self._tags.check(lists)
        return f"{account.get('account_name', 'Mailchimp')}, audience '{found.get('name')}' [{self._settings.list}]"

    def refusals(self, addresses: Sequence[str], since: datetime | None) -> Iterator[Refusal]:
        return refusals.read(self._api, self._list, since)

    def standing(self, audiences: Collection[str]) -> Iterator[tuple[str, str]]:
        """See `destination.Standing`."""
        with self._api.explained("who has its tags cannot be read"):
            yield from self._tags.standing(audiences)

    def send(self, chunk: Chunk, resume: str | None, remember: Callable[[str], None]) -> Receipt:
        before, rows = self._api.calls, chunk.rows.to_pylist()
        if chunk.operation in ("add", "remove"):
            rejected = getattr(self._tags, chunk.operation)(chunk.list_name, rows)
        elif chunk.operation == "upsert":
            values = self._fields.of(chunk.rows.column_names)
            asked = members.written(self._list, rows, values)
            rejected = self._operations.run(asked, members.judge_written, resume, remember)
        elif chunk.operation == "stop":
            rejected = self._operations.run(members.archived(self._list, rows), members.judge_gone, resume, remember)
        else:
            rejected = self._operations.run(members.forgotten(self._list, rows), members.judge_gone, resume, remember)
        return Receipt(rejected, calls=self._api.calls - before)

    def close(self) -> None:
        self._api.close()
