"""A destination of one's own: a webhook, which is told what changes, chunk by chunk, as JSON over HTTP.

    POST <host of the connection>/<path>
    Idempotency-Key: crm:0123456789abcdef:4
    X-Signature: sha256=<HMAC of "<Idempotency-Key>.<body>" with the connection's password>
    {"operation": "add", "list": "winback", "rows": [{"key": "c-1", "address": "ani@example.com", ...}]}

answers 2xx and says which rows it does not take: {"rejected": [{"key": "c-1", "words": "was deleted here"}]}.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from tangga.destinations import api, words
from tangga.destinations.api import Api
from tangga.destinations.destination import Chunk, Receipt, Refusal, Rejected
from tangga.settings import PythonDestination
from tangga.settings.types import Strict, shaped


class Options(Strict):
    """What `options` in tangga.yml may say."""

    path: Annotated[str, shaped("[A-Za-z0-9._~/-]+", "write it like hooks/tangga, without a query")]
    rows: int = Field(500, ge=1, le=10_000)
    calls_per_second: float = Field(10, gt=0)


def connect(settings: PythonDestination, name: str, options: Options) -> Webhook:
    """The destination called `name`; nothing is asked yet. Raises `DestinationRefused`."""
    connection = api.connection_of(name, settings)
    asked = Api(api.place(name, settings), settings, connection, "", "", options.calls_per_second)
    return Webhook(asked, options, connection.password.encode())


class Webhook:
    """See `tangga.destinations.destination.Destination`."""

    identity = "customer_id"
    needs_release = True

    def __init__(self, asked: Api, options: Options, secret: bytes):
        self._api, self._path, self._secret = asked, options.path.strip("/"), secret
        self.sizes = dict.fromkeys(("remove", "stop", "upsert", "add", "erase"), options.rows)

    def account(self) -> str:
        """Also shows whether the secret is the right one, before anything is sent."""
        with self._api.explained("it does not say whose it is"):
            said = self._post("hello", {"operation": "hello"})
        return str(said.get("account") or self._api.base)

    def refusals(self, addresses: Sequence[str], since: datetime | None) -> Iterable[Refusal]:
        """It cannot tell who said no there: whoever runs it lands that as a source of consents."""
        return ()

    def send(self, chunk: Chunk, resume: str | None, remember: Callable[[str], None]) -> Receipt:
        before, rows = self._api.calls, {row["key"]: row for row in chunk.rows.to_pylist()}
        body = {"operation": chunk.operation, "list": chunk.list_name, "rows": list(rows.values())}
        with self._api.explained(f"a chunk of {len(rows)} rows was not taken"):
            said = self._post(chunk.key, body).get("rejected", [])
        if not isinstance(said, list) or not all(
            isinstance(row, dict) and isinstance(row.get("key"), str) for row in said
        ):
            raise self._api.refused("it answers with something else than rows under 'rejected'; mend it there")
        # an answer that is repeated may be about somebody who has said no since, and was left out this time
        here = [row for row in said if row["key"] in rows]
        rejected = [Rejected(row["key"], words.safe(str(row.get("words", "")), rows[row["key"]])) for row in here]
        return Receipt(rejected, calls=self._api.calls - before)

    def close(self) -> None:
        self._api.close()

    def _post(self, key: str, body: dict) -> dict:
        """A resent chunk has the key that it had, by which the receiver knows it."""
        content = json.dumps(body, default=str, ensure_ascii=False, separators=(",", ":")).encode()
        signed = hmac.new(self._secret, key.encode() + b"." + content, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "idempotency-key": key,
            "x-signature": f"sha256={signed}",
        }
        return self._api.ask("POST", self._path, headers=headers, content=content)
