"""What every fake is made of: a real HTTP server on a port of its own, what it was asked, and faults to order.

    with Shopify() as shop:
        shop.add_customer(email="ani@example.com")
        shop.faults.next(429, times=2, after=1)      # the second and third request are refused
        ...                                          # talk to shop.url
        assert [asked.status for asked in shop.asked] == [200, 429, 429, 200]

A fake says its endpoints in `routes` and whom it lets in in `refusal`; both may be extended by a subclass.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


@dataclass(frozen=True)
class Asked:
    """A request that came, and the status it was answered with (0: the connection was dropped)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int


@dataclass
class Fault:
    """What goes wrong with a request. `after` requests pass before it, counted from when it was ordered."""

    kind: str
    after: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


class Faults:
    """Orders for trouble, each for one request, in the order in which they were given."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def next(self, status: int, times: int = 1, after: int = 0, headers: dict | None = None, body: bytes = b"") -> None:
        """Answer with this status, as a gateway does that knows nothing of the tool's own errors."""
        for turn in range(times):
            self._add(Fault("status", 0 if turn else after, status, headers or {}, body))

    def slow(self, seconds: float, after: int = 0) -> None:
        """Answer correctly, but late."""
        self._add(Fault("slow", after, seconds=seconds))

    def truncated(self, after: int = 0) -> None:
        """Break off in the middle of the body."""
        self._add(Fault("truncated", after))

    def html(self, after: int = 0) -> None:
        """Answer 200 with a page for people."""
        self._add(Fault("status", after, 200, {"Content-Type": "text/html; charset=utf-8"}, HTML))

    def drop(self, after: int = 0) -> None:
        """Close the connection without an answer."""
        self._add(Fault("drop", after))

    def take(self) -> Fault | None:
        """The fault for the request that comes now."""
        if not self._waiting:
            return None
        if self._waiting[0].after > 0:
            self._waiting[0].after -= 1
            return None
        return self._waiting.popleft()

    def _add(self, fault: Fault) -> None:
        self._waiting.append(fault)


class Fake:
    """A tool. `token` is the secret it lets in; `url` is where it listens while it runs."""

    def __init__(self, token: str = "fake-token") -> None:
        self.token = token
        self.faults = Faults()
        self.asked: list[Asked] = []
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def routes(self) -> list[Route]:
        """The endpoints."""
        raise NotImplementedError

    def refusal(self, request: Request) -> Response | None:
        """The answer to somebody who may not ask (now), None for all others."""
        return None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def start(self, port: int = 0) -> Fake:
        """Listen on a port of 127.0.0.1, a free one by default."""
        app = _Troubled(self, Starlette(routes=[_guarded(self, route) for route in self.routes()]))
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", http="h11")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"{type(self).__name__} cannot listen on port {port}")
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def __enter__(self) -> Fake:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def endpoint(path: str, answer: Callable[[Request], Response], method: str = "GET") -> Route:
    """A route whose `answer` is a plain function of the request."""
    return Route(path, answer, methods=[method])


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None, kind: str = "application/json"):
    """JSON as tools write it: UTF-8, no blanks, amounts as they are."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, headers, media_type=kind)


def _guarded(fake: Fake, route: Route) -> Route:
    inner = route.endpoint

    async def guarded(request: Request) -> Response:
        return fake.refusal(request) or inner(request)

    return Route(route.path, guarded, methods=list(route.methods))


class _Troubled:
    """ASGI: writes down every request, and answers the unlucky ones."""

    def __init__(self, fake: Fake, app: Starlette) -> None:
        self.fake, self.app = fake, app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        request = Request(scope)
        fault = self.fake.faults.take()
        status = 0

        async def noting(message: dict) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            if fault and fault.kind == "drop":
                send.__self__.transport.abort()  # uvicorn's cycle: ASGI itself has no word for hanging up
            elif fault and fault.kind == "status":
                await Response(fault.body, fault.status, fault.headers)(scope, receive, noting)
            elif fault and fault.kind == "truncated":
                await self._half(scope, receive, noting)
            else:
                await asyncio.sleep(fault.seconds if fault else 0)
                await self.app(scope, receive, noting)
        finally:
            query, headers = dict(request.query_params), dict(request.headers)
            self.fake.asked.append(Asked(request.method, request.url.path, query, headers, status))

    async def _half(self, scope: dict, receive: Callable, send: Callable) -> None:
        """The right answer, of which the second half never comes."""
        held: list[dict] = []

        async def hold(message: dict) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        body = b"".join(message.get("body", b"") for message in held[1:])
        await send(held[0])
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
