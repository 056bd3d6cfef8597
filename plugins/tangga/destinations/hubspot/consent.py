"""Who opted out of all e-mail there: read, and written for those who said no to us. Nobody is ever opted in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tangga.destinations import words
from tangga.destinations.api import Api
from tangga.destinations.destination import DestinationDown, Refusal, Rejected
from tangga.destinations.hubspot.batches import AT_ONCE, parts
from tangga.http import MAX_CONNECTIONS
from tangga.landing import normalise

CHANNEL = {"channel": "EMAIL"}


class Consent:
    def __init__(self, api: Api, version: str):
        self._api, self._path = api, f"communication-preferences/{version}/statuses/batch/unsubscribe-all"

    def refusals(self, addresses: Sequence[str]) -> Iterator[Refusal]:
        """Those of the addresses that opted out, in whichever letters of an international domain. Raises
        `DestinationDown` unless that is known of all of them."""
        addresses = list(dict.fromkeys([*addresses, *map(normalise.as_written, addresses)]))
        with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
            for results in pool.map(self._read, parts(addresses, AT_ONCE)):
                for result in results:
                    for status in result.get("wideStatuses") or ():
                        if status.get("status") == "UNSUBSCRIBED":
                            at = status.get("timestamp")
                            address = result["subscriberIdString"].strip().lower()
                            yield Refusal(address, "unsubscribed", datetime.fromisoformat(at) if at else None)

    def stop(self, rows: Sequence[Mapping]) -> list[Rejected]:
        """Opt people out of all e-mail; returns whoever HubSpot does not say has been."""
        with self._api.explained("people cannot be unsubscribed"):
            answer = self._api.ask("POST", self._path, CHANNEL, {"inputs": [row["address"] for row in rows]})
        done = {str(result.get("subscriberIdString")).lower() for result in answer.get("results") or ()}
        said = "; ".join(words.said(error) for error in answer.get("errors") or ()) or "was not unsubscribed there"
        return [Rejected(row["key"], words.safe(said, row)) for row in rows if row["address"].lower() not in done]

    def _read(self, addresses: list[str]) -> list[dict]:
        with self._api.explained("who opted out cannot be read"):
            answer = self._api.ask("POST", f"{self._path}/read", CHANNEL, {"inputs": addresses})
        results = answer.get("results")
        if answer.get("errors") or answer.get("status") != "COMPLETE" or not isinstance(results, list):
            raise DestinationDown(
                f"{self._api.where}: does not say of everybody whether they opted out; try again later."
            )
        return results
