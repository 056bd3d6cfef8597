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

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.effects import Effects
from tests.fakes.faults import Faults
from tests.fakes.troubled import Asked, Troubled


class Refused(Exception):
    """A request that is answered with an error from anywhere in the code that works on it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Fake:
    """A tool. `token` is the secret it lets in; `url` is where it listens while it runs.

    `asked` is every request, `effects` what they changed, `most_at_once` how many were under way at the same time.
    `elsewhere` is another host, if the tool sends its clients to one: it starts and stops with the tool. Whoever reads
    or writes its state from another thread while it is being asked holds `lock`; `remembered` is how many requests are
    kept at least, None for all.
    """

    def __init__(self, token: str = "fake-token") -> None:
        self.token = token
        self.faults = Faults()
        self.effects = Effects()
        self.asked: list[Asked] = []
        self.elsewhere: Fake | None = None
        self.port = 0
        self.at_once = self.most_at_once = 0
        self.remembered: int | None = None
        self.lock = threading.RLock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def routes(self) -> list[Route]:
        """The endpoints."""
        raise NotImplementedError

    def refusal(self, request: Request) -> Response | None:
        """The answer to somebody who may not ask (now), None for all others."""
        return None

    def shaped(self, request: Request, response: Response) -> Response:
        """An answer as it was asked for, where one can ask for parts of it."""
        return response

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
        app = Troubled(self, Starlette(routes=[_guarded(self, route) for route in self.routes()]))
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
        request.state.body = await request.body()
        with fake.lock:
            return fake.shaped(request, guarded_answer(request))

    def guarded_answer(request: Request) -> Response:
        body, line = request.state.body, f"{request.method} {request.url.path}"
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
