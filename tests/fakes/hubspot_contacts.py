"""Contacts of a HubSpot portal, as clients write them: many at once.

Checked against
- https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/batch/upsert-contacts and
  .../update-contacts: `inputs[{id, idProperty, properties, objectWriteTraceId}]`, the forms of results and errors;
  "Read-only and non-existent properties will result in an error", an empty text clears a property
- https://developers.hubspot.com/docs/api-reference/error-handling: 207 with `results` and `errors` for batches whose
  inputs carry an `objectWriteTraceId`, by which an error says whose it is; it is documented for create. Without it, one
  bad row refuses all of them. `multi_status` says what this portal does: "traced" (as documented, for update and upsert
  as well), "always", or "never"
- public clients' tests and logs: "Duplicate IDs found in batch input: [...]. IDs must be unique" (400), "Contact
  already exists. Existing ID: 101" (409, CONFLICT), "Property values were not valid: [...]" (400, VALIDATION_ERROR)
- https://developers.hubspot.com/docs-beta/crm/contacts: `lifecyclestage` moves forward only; to move it back it is
  cleared first. The step back is answered as if it had been made
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.hubspot import error, shown
from tests.fakes.hubspot_properties import wrong_value
from tests.fakes.server import Refused, answer, sent

AT_ONCE = 100


class RowRefused(Exception):
    """One input cannot be used; `about` is what HubSpot says of it."""

    def __init__(self, status: int, category: str, message: str, **context: list[str]) -> None:
        super().__init__(message)
        self.status, self.about = status, {"status": "error", "category": category, "message": message}
        self.about["context"] = context


class Contacts:
    """The part of a HubSpot portal that keeps contacts; see `HubSpotPortal` for the rest of its state."""

    # ---- what a client asks for

    def _batch_read(self, request: Request) -> Response:
        given = sent(request)
        inputs = self._inputs(given)
        by = self._unique(given["idProperty"]) if given.get("idProperty") else None
        names = (*self.unasked, *given.get("properties", []))

        def read(one: dict) -> dict:
            return shown(self._named(one["id"], by), names, given.get("propertiesWithHistory", []))

        return self._batch(inputs, read, always=True)

    def _batch_create(self, request: Request) -> Response:
        return self._batch(self._inputs(sent(request)), lambda one: self._create(one.get("properties", {})), 201)

    def _batch_update(self, request: Request) -> Response:
        inputs = self._inputs(sent(request))
        self._need_distinct(inputs)

        def update(one: dict) -> dict:
            by = self._unique(one["idProperty"]) if one.get("idProperty") else None
            return self._update(self._named(one["id"], by), one.get("properties", {}))

        return self._batch(inputs, update)

    def _batch_upsert(self, request: Request) -> Response:
        inputs = self._inputs(sent(request))
        for one in inputs:
            if not one.get("idProperty"):
                raise Refused(error(400, "idProperty is required for upserts", category="VALIDATION_ERROR"))
        self._need_distinct(inputs)

        def upsert(one: dict) -> dict:
            by = self._unique(one["idProperty"])
            known = self._index(by).get(_folded(by, one["id"]))
            if known is None:
                return self._create({by: one["id"]} | one.get("properties", {})) | {"new": True}
            return self._update(known, one.get("properties", {})) | {"new": False}

        return self._batch(inputs, upsert)

    def _gdpr_delete(self, request: Request) -> Response:
        given = sent(request)
        by = given.get("idProperty")
        key = str(given.get("objectId", ""))
        contact = self._index(by).get(_folded(by, key)) if by else self.contacts.get(key)
        if contact is not None:
            self.remove(contact, "forgotten")
        elif by == "email":
            self.effects.note("blocklisted", key.lower())
        address = key if by == "email" else (contact or {"properties": {}})["properties"].get("email")
        if address:
            self.blocklist.add(address.lower())
        return Response(status_code=204)

    # ---- what comes of it

    def _create(self, properties: dict) -> dict:
        self._check(properties, None)
        contact = self.add_contact(None, self.now())
        self._write(contact, properties)
        self.effects.note("created", properties.get("email") or "", contact["id"])
        return shown(contact, tuple(properties), [])

    def _update(self, contact: dict, properties: dict) -> dict:
        self._check(properties, contact)
        before = dict(contact["properties"])
        self._write(contact, properties)
        changed = [name for name in properties if before.get(name) != contact["properties"].get(name)]
        if changed:
            self.effects.note("changed", contact["properties"].get("email") or "", ",".join(sorted(changed)))
        return shown(contact, (*self.unasked, *properties), [])

    def _check(self, properties: dict, contact: dict | None) -> None:
        wrong = [
            {"isValid": False, "message": words, "error": code, "name": name, "localizedErrorMessage": words}
            for name, value in properties.items()
            if (found := wrong_value(name, value, self.properties)) and (code := found[0]) and (words := found[1])
        ]
        if wrong:
            raise RowRefused(400, "VALIDATION_ERROR", f"Property values were not valid: {json.dumps(wrong)}")
        if (properties.get("email") or "").lower() in self.blocklist:
            raise RowRefused(400, "VALIDATION_ERROR", "The email address was deleted for privacy and cannot be used.")
        self._check_second_addresses(properties, contact)
        for name, value in properties.items():
            holder = self._index(name).get(_folded(name, value)) if value and self._is_unique(name) else None
            if holder is not None and holder is not contact:
                self._conflict(name, holder)

    def _check_second_addresses(self, properties: dict, contact: dict | None) -> None:
        """An address may be one of several of a contact's (`hs_additional_emails`), which no read by address finds."""
        wanted = (properties.get("email") or "").lower()
        for holder in self.contacts.values() if wanted else ():
            others = (holder["properties"].get("hs_additional_emails") or "").lower().split(";")
            if holder is not contact and wanted in others:
                self._conflict("email", holder)

    def _conflict(self, name: str, holder: dict) -> None:
        if name == "email":
            raise RowRefused(409, "CONFLICT", f"Contact already exists. Existing ID: {holder['id']}")
        words = f"{holder['id']} already has that value for {name}."
        raise RowRefused(400, "VALIDATION_ERROR", f"Property values were not valid: {words}")

    def _write(self, contact: dict, properties: dict) -> None:
        """New values: of a lifecycle stage only one that lies ahead, or none at all."""
        properties = {name: None if value is None else str(value) for name, value in properties.items()}
        stage, now = properties.get("lifecyclestage"), contact["properties"].get("lifecyclestage")
        order = [one["value"] for one in self.properties["lifecyclestage"]["options"]]
        if stage and now in order and order.index(stage) < order.index(now):
            del properties["lifecyclestage"]
            self.effects.note("stage_kept", contact["properties"].get("email") or "", f"{now} not {stage}")
        known = contact["properties"].get("email")
        if known and properties.get("email", known).lower() != known.lower():
            self.effects.note("address_changed", known, properties["email"])
        for name in [name for name in properties if self._is_unique(name)]:
            self._index(name).pop(_folded(name, contact["properties"].get(name) or ""), None)
        self.change(contact, self.now(), **{name: value or None for name, value in properties.items()})
        for name in [name for name in properties if self._is_unique(name)]:
            if contact["properties"][name]:
                self._index(name)[_folded(name, contact["properties"][name])] = contact

    # ---- helpers

    def _batch(self, inputs: list[dict], act: Callable[[dict], dict], status: int = 200, always: bool = False):
        """Each input by itself, as long as errors may be told one by one; otherwise all or nothing."""
        traced = all(one.get("objectWriteTraceId") for one in inputs)
        apart = always or self.multi_status == "always" or (self.multi_status == "traced" and traced)
        results, errors = [], []
        if not apart:
            self._rehearse(inputs, act)
        for one in inputs:
            try:
                done = act(one)
            except RowRefused as refused:
                errors.append(_told(refused, one, always))
                continue
            results.append(done | ({"objectWriteTraceId": one["objectWriteTraceId"]} if traced else {}))
        at = self.now()
        results.reverse()  # in which order they come is not promised
        content: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
        if errors:
            return answer(content | {"numErrors": len(errors), "errors": errors}, 207)
        return answer(content, status)

    def _rehearse(self, inputs: list[dict], act: Callable[[dict], dict]) -> None:
        """Refuse all inputs for the first that cannot be used, before any of them is."""
        for one in inputs:
            properties, by = one.get("properties", {}), one.get("idProperty")
            try:
                contact = self._index(self._unique(by)).get(_folded(by, one["id"])) if by else None
                contact = contact or self.contacts.get(str(one.get("id")))
                if act.__name__ == "update":
                    self._named(one["id"], by)
                self._check(properties, contact)
            except RowRefused as refused:
                about = {name: value for name, value in refused.about.items() if name not in ("status", "message")}
                raise Refused(error(refused.status, str(refused), **about)) from None

    def _inputs(self, given: dict) -> list[dict]:
        inputs = given.get("inputs")
        if not isinstance(inputs, list) or not inputs:
            raise Refused(error(400, "inputs must not be empty", category="VALIDATION_ERROR"))
        if len(inputs) > AT_ONCE:
            words = f"The maximum number of inputs supported in a batch request is {AT_ONCE}; {len(inputs)} were given."
            raise Refused(error(400, words, category="VALIDATION_ERROR"))
        return inputs

    def _need_distinct(self, inputs: list[dict]) -> None:
        seen, twice = set(), []
        for one in inputs:
            key = _folded(one.get("idProperty"), str(one["id"]))
            if key in seen:
                twice.append(str(one["id"]))
            seen.add(key)
        if twice:
            words = f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
            raise Refused(error(400, words, category="VALIDATION_ERROR", context={"ids": twice}))

    def _named(self, key: str, by: str | None) -> dict:
        contact = self._index(by).get(_folded(by, str(key))) if by else self.contacts.get(str(key))
        if contact is None or contact["archived"]:
            words = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
            raise RowRefused(404, "OBJECT_NOT_FOUND", words, ids=[str(key)])
        return contact


def _folded(by: str | None, value: str) -> str:
    return value.lower() if by == "email" else value


def _told(refused: RowRefused, one: dict, reading: bool) -> dict:
    """An error in an answer of 207: whose it is, it says by the trace or the id of the input."""
    context = dict(refused.about["context"])
    if one.get("objectWriteTraceId"):
        context["objectWriteTraceId"] = [one["objectWriteTraceId"]]
    elif not reading and one.get("id"):
        context["ids"] = [str(one["id"])]
    return refused.about | {"context": context}
