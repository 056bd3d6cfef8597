"""HubSpot: a portal, whose contacts are known by a property of ours that holds the customer's id.

Contacts that have the address already are adopted. Nobody is ever subscribed, and lists without our prefix are left
alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from tangga.destinations import api
from tangga.destinations.api import Api
from tangga.destinations.destination import Chunk, DestinationRefused, Receipt, Refusal
from tangga.destinations.hubspot.consent import Consent
from tangga.destinations.hubspot.contacts import Contacts
from tangga.destinations.hubspot.lists import Lists
from tangga.destinations.hubspot.properties import Properties
from tangga.settings import REPOSITORY, HubSpotDestination

__all__ = ["HubSpot", "connect"]

BASE = "https://api.hubapi.com"

_RUNGS = REPOSITORY / "dbt_project" / "seeds" / "lifecycle_rungs.csv"


def connect(settings: HubSpotDestination, name: str) -> HubSpot:
    """The destination called `name`; nothing is asked yet. Raises `DestinationRefused`."""
    where, connection = api.place(name, settings), api.connection_of(name, settings)
    with _RUNGS.open(encoding="utf-8", newline="") as file:
        rungs = [row["rung_name"] for row in csv.DictReader(file)]
    unknown = sorted(set(settings.lifecycle_stages) - set(rungs))
    if unknown:
        raise DestinationRefused(
            f"{name}: lifecycle_stages: '{unknown[0]}' is no rung; correct it in tangga.yml, use {', '.join(rungs)}."
        )
    per_second = (settings.requests_per_10_seconds - 1) / 10  # one less: both ends of ten seconds count
    authorization = f"Bearer {connection.password.strip()}"
    return HubSpot(Api(where, settings, connection, BASE, authorization, per_second), settings)


class HubSpot:
    """See `destination.Destination`."""

    identity = "customer_id"
    needs_release = True

    def __init__(self, api: Api, settings: HubSpotDestination):
        self._api, self._settings = api, settings
        self._properties = Properties(api, settings)
        self._contacts = Contacts(api, settings, self._properties)
        self._lists = Lists(api, settings, self._contacts)
        self._consent = Consent(api, settings.version)
        self.sizes = {"remove": 10_000, "stop": 100, "upsert": 100, "add": 10_000, "erase": 100}
        if settings.when_refused == "keep":
            del self.sizes["stop"]

    def account(self, lists: Collection[str] = ()) -> str:
        with self._api.explained("the portal cannot be read"):
            portal = self._api.ask("GET", f"account-info/{self._settings.version}/details")
        self._properties.check(is_known=bool(lists))
        self._lists.check(lists)
        if self._settings.check_subscriptions:
            list(self._consent.refusals(["nobody@example.com"]))
        return f"HubSpot portal {portal.get('portalId')} ({portal.get('uiDomain')})"

    def refusals(self, addresses: Sequence[str], since: datetime | None) -> Iterator[Refusal]:
        return self._consent.refusals(addresses) if self._settings.check_subscriptions else iter(())

    def send(self, chunk: Chunk, resume: str | None, remember: Callable[[str], None]) -> Receipt:
        before, rows = self._api.calls, chunk.rows.to_pylist()
        remote_ids: dict[str, str] = {}
        if chunk.operation in ("add", "remove"):
            rejected, remote_ids = getattr(self._lists, chunk.operation)(chunk.list_name, rows)
        elif chunk.operation == "upsert":
            rejected, remote_ids = self._contacts.upsert(rows, self._properties.of(chunk.rows.column_names))
        elif chunk.operation == "stop":
            rejected = self._consent.stop(rows)
        else:
            rejected = self._contacts.erase(rows)
        return Receipt(rejected, remote_ids, self._api.calls - before)

    def close(self) -> None:
        self._api.close()
