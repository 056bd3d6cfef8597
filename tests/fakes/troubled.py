"""What stands between the network and a tool: it writes down each request, and lets the unlucky meet their fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.faults import Fault


@dataclass(frozen=True)
class Asked:
    """A request that came, and the status it was answered with (0: the connection was dropped)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int
    body: bytes = b""
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)

    def json(self) -> Any:
        return json.loads(self.body)


class Troubled:
    """ASGI, around the `app` of a `Fake`."""

    def __init__(self, fake: Any, app: Starlette) -> None:
        self.fake, self.app = fake, app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        request = Request(scope, receive)
        body, status = await request.body(), 0

        async def again() -> dict:
            return {"type": "http.request", "body": body, "more_body": False}

        async def noting(message: dict) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        fault = self.fake.faults.take(f"{request.method} {request.url.path}")
        if fault:
            self.fake.faults.met.append(f"{fault.kind} {fault.status}" if fault.kind == "status" else fault.kind)
        self.fake.at_once += 1
        self.fake.most_at_once = max(self.fake.most_at_once, self.fake.at_once)
        try:
            await asyncio.sleep(self.fake.faults.latency + (fault.seconds if fault and fault.kind == "slow" else 0))
            if fault and fault.kind in _BROKEN:
                await _BROKEN[fault.kind](self, fault, scope, again, noting, receive, send)
            else:
                await self.app(scope, again, noting)
        finally:
            self.fake.at_once -= 1
            query, headers = dict(request.query_params), dict(request.headers)
            self.fake.asked.append(Asked(request.method, request.url.path, query, headers, status, body))
            if self.fake.remembered and len(self.fake.asked) > 2 * self.fake.remembered:
                del self.fake.asked[: -self.fake.remembered]

    async def _status(self, fault: Fault, scope: dict, again: Callable, noting: Callable, *_) -> None:
        await Response(fault.body, fault.status, fault.headers)(scope, again, noting)

    async def _drop(self, fault: Fault, scope: dict, again: Callable, noting: Callable, receive, send) -> None:
        send.__self__.transport.abort()  # uvicorn's cycle: ASGI itself has no word for hanging up

    async def _cut(self, fault: Fault, scope: dict, again: Callable, noting: Callable, receive, send) -> None:
        await self._held(scope, again)
        send.__self__.transport.abort()

    async def _silent(self, fault: Fault, scope: dict, again: Callable, noting: Callable, receive, send) -> None:
        await self._held(scope, again)
        try:
            async with asyncio.timeout(fault.seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            pass
        send.__self__.transport.abort()

    async def _truncated(self, fault: Fault, scope: dict, again: Callable, noting: Callable, *_) -> None:
        """The right answer, of which the second half never comes."""
        held = await self._held(scope, again)
        body = b"".join(message.get("body", b"") for message in held[1:])
        await noting(held[0])
        await noting({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})

    async def _held(self, scope: dict, again: Callable) -> list[dict]:
        """The right answer, which is not sent."""
        held: list[dict] = []

        async def hold(message: dict) -> None:
            held.append(message)

        await self.app(scope, again, hold)
        return held


_BROKEN = {
    "status": Troubled._status, "drop": Troubled._drop, "cut": Troubled._cut, "silent": Troubled._silent,
    "truncated": Troubled._truncated,
}  # fmt: skip
