"""Batches: up to 1000 operations that Mailchimp works on by itself, waited for and resumed by the batch's id.

The results lie in an archive behind an address that is a secret itself: it gets no credentials and is told to nobody.
"""

from __future__ import annotations

import io
import json
import random
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import httpx

from tangga.destinations.api import Api, document_of
from tangga.destinations.destination import DestinationDown
from tangga.destinations.mailchimp.members import Operation, Outcome
from tangga.http import TO_TOOLS, Client, Denied, Unanswered

PATH = "3.0/batches"

POLLS = (1.0, 15.0)
"""Seconds between two looks at a batch: the first, and the longest."""

RESULTS = (60, 300)
"""Seconds for a try to read the results, and for all of them."""

LARGEST = 256 << 20
"""Bytes of results, unpacked."""


def run(
    api: Api,
    operations: Sequence[Operation],
    resume: str | None,
    remember: Callable[[str], None],
    seconds: float,
) -> dict[str, Outcome]:
    """The answers to operations, by their ids, of as many as the results tell. `resume` is a batch that holds them
    already; one that Mailchimp has forgotten is made anew. Raises `DestinationDown` when it takes longer than
    `seconds`, and `Denied` when it is not taken."""
    batch = _found(api, resume) if resume else None
    if batch is None:
        batch = _made(api, operations)
        remember(str(batch["id"]))
    return _results(api, _finished(api, batch, seconds))


def _made(api: Api, operations: Sequence[Operation]) -> dict:
    batch = api.ask("POST", PATH, json={"operations": [_as_json(operation) for operation in operations]})
    if "id" not in batch:
        raise DestinationDown(f"{api.where}: a batch was answered without its id; try again later.")
    return batch


def _as_json(operation: Operation) -> dict:
    whole = {"method": operation.method, "path": operation.path.removeprefix("3.0"), "operation_id": operation.id}
    if operation.params:
        whole["params"] = operation.params
    if operation.body is not None:
        whole["body"] = json.dumps(operation.body, ensure_ascii=False)
    return whole


def _found(api: Api, known_as: str) -> dict | None:
    """The batch, None when Mailchimp knows it no more, as after a week."""
    try:
        return api.ask("GET", f"{PATH}/{known_as}")
    except Denied as error:
        if error.status == 404:
            return None
        with api.explained("a batch cannot be looked at"):
            raise


def _finished(api: Api, batch: dict, seconds: float) -> dict:
    pause, most = POLLS
    end = time.monotonic() + seconds
    known_as = str(batch["id"])
    while batch.get("status") != "finished":
        if time.monotonic() >= end:
            raise DestinationDown(
                f"{api.where}: Mailchimp has not finished a batch in {seconds:g} seconds; the next run waits for the "
                "same one."
            )
        time.sleep(pause * random.uniform(0.8, 1.0))
        pause = min(most, pause * 1.5)
        found = _found(api, known_as)
        if found is None:
            raise DestinationDown(f"{api.where}: Mailchimp has lost a batch; the next run makes it anew.")
        batch = found
    return batch


def _results(api: Api, batch: dict) -> dict[str, Outcome]:
    address = batch.get("response_body_url")
    try:
        if not address:
            raise ValueError
        url = httpx.URL(address)
        origin = f"{url.scheme}://{url.netloc.decode()}"
        if url.scheme != "https" and url.host != httpx.URL(api.base).host:
            raise ValueError
        client = Client(origin, {"user-agent": "tangga"}, *RESULTS, advice=TO_TOOLS)
        with closing(client):
            content = client.call("GET", address).content
        return dict(_read(content))
    except (ValueError, httpx.InvalidURL, Denied, Unanswered, tarfile.TarError, EOFError, OSError, zlib.error):
        raise DestinationDown(
            f"{api.where}: what came of a batch cannot be read; the next run reads it again."
        ) from None


def _read(archive: bytes) -> Iterator[tuple[str, Outcome]]:
    """(id of the operation, what came of it) from a tar of JSON files, zipped or not."""
    size = 0
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as files:
        for file in files:
            if not file.isfile():
                continue
            size += file.size
            if size > LARGEST:
                raise ValueError
            for result in json.load(files.extractfile(file)):
                if isinstance(result, dict) and isinstance(result.get("status_code"), int):
                    yield str(result.get("operation_id")), _outcome(result)


def _outcome(result: dict) -> Outcome:
    said = result.get("response")
    return Outcome(result["status_code"], document_of(said) if isinstance(said, str) else said or {})
