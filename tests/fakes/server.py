"""What every fake is made of: a real HTTP server on a port of its own, what it was asked, and faults to order.

    with Shopify() as shop:
        shop.add_customer(email="ani@example.com")
        shop.faults.next(429, times=2, after=1)      # the second and third request are refused
        ...                                          # talk to shop.url
        assert [asked.status for asked in shop.asked] == [200, 429, 429, 200]

A fake says its endpoints in `routes` and whom it lets in in `refusal`; both may be extended by a subclass. What goes
wrong on the way is in `faults.py`, what has changed in the tool in `effects.py`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.effects import Effects
from tests.fakes.faults import Fault, Faults


@dataclass(frozen=True)
class Asked:
    """A request that came, and the status it was answered with (0: the connection was dropped)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


class Refused(Exception):
    """A request that is answered with an error from anywhere in the code that works on it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Fake:
    """A tool. `token` is the secret it lets in; `url` is where it listens while it runs.

    `asked` is every request, `effects` what they changed, `most_at_once` how many were under way at the same time.
    `elsewhere` is another host, if the tool sends its clients to one: it starts and stops with the tool.
    """

    def __init__(self, token: str = "fake-token") -> None:
        self.token = token
        self.faults = Faults()
        self.effects = Effects()
        self.asked: list[Asked] = []
        self.elsewhere: Fake | None = None
        self.port = 0
        self.at_once = self.most_at_once = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def routes(self) -> list[Route]:
        """The endpoints."""
        raise NotImplementedError

    def refusal(self, request: Request) -> Response | None:
        """The answer to somebody who may not ask (now), None for all others."""
        return None

    def bad_request(self, words: str) -> Response:
        """How the tool says that it does not take a request."""
        return answer({"error": words}, 400)

    def revoke(self, after: int = 0) -> None:
        """From some request on, the secret is not let in any more."""
        self.faults.when("", self._lock, after)

    def _lock(self) -> None:
        self.token = f"revoked {self.token}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def start(self, port: int = 0) -> Fake:
        """Listen on a port of 127.0.0.1, a free one by default."""
        if self.elsewhere:
            self.elsewhere.start()
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
        both = [self, self.elsewhere] if self.elsewhere else [self]
        for one in both:
            one._server.should_exit = one._server.force_exit = True
        for one in both:
            one._thread.join()

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


def sent(request: Request) -> Any:
    """The JSON that came with a request: an object, or a list. Raises `ValueError`."""
    return json.loads(request.state.body or b"{}")


def _guarded(fake: Fake, route: Route) -> Route:
    inner = route.endpoint

    async def guarded(request: Request) -> Response:
        body = request.state.body = await request.body()
        line = f"{request.method} {request.url.path}"
        fake.faults.happen(line, committed=False)
        refusal = fake.refusal(request)
        if refusal is None and fake.faults.poisoned(line, body):
            refusal = fake.bad_request("One of the rows cannot be used.")
        if refusal is not None:
            return refusal
        try:
            return inner(request)
        except Refused as refused:
            return refused.response
        except json.JSONDecodeError:
            return fake.bad_request("The body is not JSON.")
        finally:
            fake.faults.happen(line, committed=True)

    return Route(route.path, guarded, methods=list(route.methods))


class _Troubled:
    """ASGI: writes down every request, and answers the unlucky ones."""

    def __init__(self, fake: Fake, app: Starlette) -> None:
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
    "status": _Troubled._status, "drop": _Troubled._drop, "cut": _Troubled._cut, "silent": _Troubled._silent,
    "truncated": _Troubled._truncated,
}  # fmt: skip
