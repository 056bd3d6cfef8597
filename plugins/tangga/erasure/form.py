"""Takes what a person is found by off the form of `crm_erase` before Airflow sees it.

Airflow keeps the parameters of a run in its database (the run, and the audit log of who triggered it) and shows them to
whoever may look at the DAG. So the API server hands on the number of a request instead; the address itself goes to a
file of the owner (`requests`). A middleware of plain ASGI: nothing of Airflow's is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tangga import settings as all_settings
from tangga.erasure import requests
from tangga.erasure.person import IDENTIFIERS

DAG_ID = "crm_erase"
MAX_BYTES = 65_536
_TRIGGER = re.compile(rf"/dags/{DAG_ID}/dagRuns/?$")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class TakenOff:
    """The middleware. What Airflow then refuses (nobody logged in, no right to trigger) is forgotten again."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        is_form = scope["type"] == "http" and scope["method"] == "POST" and _TRIGGER.search(scope["path"])
        if not is_form:
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        settings = all_settings.load()
        try:
            without, request_id = take_off(settings, body)
        except ValueError:
            await _refuse(send)
            return
        is_taken = False

        async def watched(message: dict[str, Any]) -> None:
            nonlocal is_taken
            if message["type"] == "http.response.start":
                is_taken = 200 <= message["status"] < 300
            await send(message)

        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
        headers.append((b"content-length", str(len(without)).encode()))
        try:
            await self.app({**scope, "headers": headers}, _once(without, receive), watched)
        finally:
            if request_id and not is_taken:
                requests.withdraw(settings, request_id)


def take_off(settings: all_settings.Settings, body: bytes) -> tuple[bytes, str | None]:
    """The body of a trigger with the number of a request instead of what a person is found by, and that number; as it
    is, and None, when nothing was given. Raises ValueError when it is not what Airflow's API takes."""
    if len(body) > MAX_BYTES:
        raise ValueError
    said = json.loads(body)
    conf = said.get("conf") or {} if isinstance(said, dict) else None
    if not isinstance(conf, dict):
        raise ValueError
    given = {name: str(conf[name]).strip() for name in IDENTIFIERS if conf.get(name)}
    request_id = requests.ask(settings, given, str(conf.get("reason"))) if given else None
    left = {name: value for name, value in conf.items() if name == "request"}
    said |= {"conf": left | ({"request": request_id} if request_id else {})}
    if said.get("note") is not None:
        said["note"] = None  # a free text: it could name somebody
    return json.dumps(said).encode(), request_id


async def _whole(receive: Receive) -> bytes:
    body = b""
    while len(body) <= MAX_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


def _once(body: bytes, receive: Receive) -> Receive:
    is_read = False

    async def read() -> dict[str, Any]:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read


async def _refuse(send: Send) -> None:
    body = json.dumps({"detail": "The form of crm_erase could not be read; fill it in again."}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
