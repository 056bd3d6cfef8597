"""Who does not want mail from a HubSpot portal.

Checked against
- https://developers.hubspot.com/docs/api-reference/legacy/communication-preferences/status/batch/get-unsubscribed-batch:
  POST .../statuses/batch/unsubscribe-all/read with `inputs` of addresses; `channel` must be there and is EMAIL;
  `results[{subscriberIdString, wideStatuses[{channel, status, timestamp, wideStatusType}]}]`
- .../status/batch/get-subscriptions, .../unsubscribe-contacts-batch and
  https://developers.hubspot.com/docs/api-reference/latest/communication-preferences/status/get-unsubscribed-status ("If
  a contact has not opted out of all communications, the response results array will be empty")
That the batch names people who have not opted out as well, with no `wideStatuses`, and takes 100 at once, is a guess.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.hubspot import error
from tests.fakes.hubspot_contacts import AT_ONCE
from tests.fakes.server import Refused, answer, sent

MARKETING = {"id": "1", "name": "Marketing Information", "purpose": "Marketing", "isActive": True}


class Consent:
    """The part of a HubSpot portal that keeps what people have said: `opted_out` holds addresses, with the time."""

    def leaves(self, address: str) -> None:
        """Somebody says no by themselves."""
        self._opt_out(address, "person")

    def returns(self, address: str) -> None:
        """Somebody says yes again by themselves."""
        self.opted_out.pop(address.lower(), None)
        self.effects.note("resubscribed", address.lower(), by="person")

    def _opt_out(self, address: str, by: str) -> None:
        if address.lower() in self.opted_out:
            return
        self.opted_out[address.lower()] = self.now()
        self.effects.note("unsubscribed", address.lower(), by=by)
        contact = self._index("email").get(address.lower())
        if contact is not None:
            self.change(contact, self.now(), hs_email_optout="true")

    # ---- what a client asks for

    def _read_opted_out(self, request: Request) -> Response:
        return self._results([
            {"subscriberIdString": address, "wideStatuses": self._wide(address)} for address in self._addresses(request)
        ])  # fmt: skip

    def _read_statuses(self, request: Request) -> Response:
        return self._results([
            {"subscriberIdString": address, "statuses": self._statuses(address)} for address in self._addresses(request)
        ])  # fmt: skip

    def _get_statuses(self, request: Request) -> Response:
        self._need_channel(request)
        return self._results(self._statuses(request.path_params["address"]))

    def _get_opted_out(self, request: Request) -> Response:
        self._need_channel(request)
        return self._results(self._wide(request.path_params["address"]))

    def _opt_out_many(self, request: Request) -> Response:
        addresses = self._addresses(request)
        for address in addresses:
            self._opt_out(address, "api")
        statuses = [{"subscriberIdString": one, "statuses": self._statuses(one)} for one in addresses]
        return self._results(statuses)

    def _opt_out_one(self, request: Request) -> Response:
        self._need_channel(request)
        self._opt_out(request.path_params["address"], "api")
        return self._results(self._statuses(request.path_params["address"]))

    def _write_status(self, request: Request) -> Response:
        return answer(self._decided(request.path_params["address"], sent(request)))

    def _write_statuses(self, request: Request) -> Response:
        inputs = sent(request).get("inputs") or []
        return self._results([self._decided(one.get("subscriberIdString", ""), one) for one in inputs])

    def _decided(self, address: str, given: dict) -> dict:
        """A status that somebody else decides on: what must not happen is written down."""
        status = given.get("statusState")
        if status not in ("SUBSCRIBED", "UNSUBSCRIBED", "NOT_SPECIFIED"):
            raise Refused(error(400, f"statusState is not known: {status}", category="VALIDATION_ERROR"))
        if status == "UNSUBSCRIBED":
            self._opt_out(address, "api")
            return self._statuses(address)[0]
        self.effects.note("status_sent", address.lower(), status)
        if self.opted_out.pop(address.lower(), None):
            self.effects.note("resubscribed", address.lower(), status)
        return self._statuses(address)[0]

    # ---- helpers

    def _wide(self, address: str) -> list[dict]:
        at = self.opted_out.get(address.lower())
        if at is None:
            return []
        return [{
            "channel": "EMAIL", "status": "UNSUBSCRIBED", "subscriberIdString": address, "timestamp": at,
            "wideStatusType": "PORTAL_WIDE",
        }]  # fmt: skip

    def _statuses(self, address: str) -> list[dict]:
        at = self.opted_out.get(address.lower())
        return [{
            "channel": "EMAIL", "source": "Unsubscribe link", "status": "UNSUBSCRIBED" if at else "NOT_SPECIFIED",
            "subscriberIdString": address, "subscriptionId": int(MARKETING["id"]), "timestamp": at or self.now(),
            "subscriptionName": MARKETING["name"],
        }]  # fmt: skip

    def _results(self, results: list[dict]) -> Response:
        at = self.now()
        return answer({"status": "COMPLETE", "startedAt": at, "completedAt": at, "results": results})

    def _addresses(self, request: Request) -> list[str]:
        self._need_channel(request)
        inputs = sent(request).get("inputs")
        if not isinstance(inputs, list) or not inputs or len(inputs) > AT_ONCE:
            raise Refused(error(400, f"inputs must be 1 to {AT_ONCE} addresses", category="VALIDATION_ERROR"))
        return inputs

    def _need_channel(self, request: Request) -> None:
        if request.query_params.get("channel") != "EMAIL":
            words = "query param 'channel' may not be null; the only channel is EMAIL"
            raise Refused(error(400, words, category="VALIDATION_ERROR"))
