"""Many operations: few of them call by call, many as a batch that Mailchimp works on by itself.

Whatever a batch does not say is done afterwards call by call: a row counts as done by its own answer only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tangga.destinations import poison
from tangga.destinations.api import Api, document_of
from tangga.destinations.destination import Rejected
from tangga.destinations.mailchimp import batches
from tangga.destinations.mailchimp.members import Gone, Operation, Outcome
from tangga.http import MAX_CONNECTIONS, Denied
from tangga.settings import MailchimpDestination

Judge = Callable[[Operation, Outcome], str | None]
"""Why an operation did not do what it was for, None if it did."""


class Operations:
    def __init__(self, api: Api, settings: MailchimpDestination):
        self._api, self._settings = api, settings

    def run(
        self, operations: Sequence[Operation], judge: Judge, resume: str | None, remember: Callable[[str], None]
    ) -> list[Rejected]:
        """Do them all; returns the rows that were not taken. Raises `DestinationRefused` or `DestinationDown`."""
        least = self._settings.batch_from
        outcomes: dict[str, Outcome] = {}
        if resume or (least != "never" and len(operations) >= least):
            outcomes = self._as_batch(operations, resume, remember)
        outcomes |= self._one_by_one([one for one in operations if one.id not in outcomes])
        try:
            said = [(one, judge(one, outcomes[one.id])) for one in operations]
        except Gone as error:
            raise self._api.refused(str(error)) from None
        return [Rejected(one.row["key"], why) for one, why in said if why is not None]

    def _as_batch(
        self, operations: Sequence[Operation], resume: str | None, remember: Callable[[str], None]
    ) -> dict[str, Outcome]:
        """What is certain from a batch: nothing when it is not taken as a whole, because of one row perhaps."""
        try:
            answered = batches.run(self._api, operations, resume, remember, self._settings.batch_seconds)
        except Denied as error:
            if error.status in poison.SPLITTING:
                return {}
            raise self._api.refused(f"a batch is not taken: {error}") from None
        return {known_as: outcome for known_as, outcome in answered.items() if not _may_pass(outcome)}

    def _one_by_one(self, operations: Sequence[Operation]) -> dict[str, Outcome]:
        if not operations:
            return {}
        with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
            calls = [pool.submit(self._call, one) for one in operations]
            try:
                return {one.id: call.result() for one, call in zip(operations, calls, strict=True)}
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _call(self, operation: Operation) -> Outcome:
        try:
            return Outcome(200, self._api.ask(operation.method, operation.path, operation.params, operation.body))
        except Denied as error:
            return Outcome(error.status, document_of(error.content))


def _may_pass(outcome: Outcome) -> bool:
    return outcome.status in (401, 403, 408, 425, 429) or outcome.status >= 500 or outcome.status < 200
