"""HTTP calls to somebody else's API: throttled, bounded in time and size, repeated where that may help.

`Client.call` gives an answer of success or raises `Denied` (asking again would not help) or `Unanswered` (it may).
The credentials go to one place only: scheme, host and port of the base address. No message tells what was sent or
answered, nor an address: these hold secrets and ids of people. Calls may be made by several threads at once.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from tangga.http_answers import NOWHERE, TO_TOOLS, Advice, Answer, Denied, Passing, Unanswered, joined, judged

__all__ = ["TO_TOOLS", "Advice", "Answer", "Client", "Clock", "Denied", "Unanswered"]

TRIES = 5
BACKOFF = (2.0, 60.0)
"""Full jitter: before the second try a random wait of up to so many seconds, then up to twice as many, ..., up to the
second figure. An answer's `Retry-After` goes before it."""

MAX_ANSWER = 64 << 20
"""Largest answer that is read, in bytes, decompressed."""

MAX_REDIRECTS = 5

MAX_CONNECTIONS = 5
"""Calls to one API at the same time: half of what the strictest of the tools allows a user."""

for _name in ("httpx", "httpcore"):  # they log every address, with its query string
    logging.getLogger(_name).setLevel(logging.WARNING)


class Clock:
    """Seconds that only go forward, and how to wait for them."""

    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Client:
    """Calls to the API at one base address, over connections that are kept. To be closed.

    `headers` go with every call, the credentials among them. A try takes at most `timeout_seconds`, all calls together
    `deadline_seconds` from now on, or, `each_deadline`, each of them with all its tries; `per_second` tries are made
    at most. `asked` counts them.
    """

    def __init__(
        self,
        base: str,
        headers: dict[str, str],
        timeout_seconds: float,
        deadline_seconds: float,
        per_second: float | None = None,
        clock: Clock | None = None,
        each_deadline: bool = False,
        advice: Advice | None = None,
    ):
        self.asked = 0
        self._clock = clock or Clock()
        self._base = httpx.URL(base)
        self._timeout = timeout_seconds
        self._seconds = deadline_seconds
        self._deadline = None if each_deadline else self._clock.now() + deadline_seconds
        self._gap = 1 / per_second if per_second else 0.0
        self._turn = self._clock.now()
        self._lock = threading.Lock()
        self._advice = advice or Advice()
        self._http = httpx.Client(headers=headers, limits=httpx.Limits(max_connections=MAX_CONNECTIONS))

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        url: str,
        params: dict | None = None,
        json: object = None,
        as_json: bool = False,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Ask for an address below the base, or one that an answer gave. `as_json` takes nothing else for an answer: a
        page for people, which something on the way gave, is tried again. `headers` go with this call only; `content`
        is sent as it is, instead of `json`. Raises `Denied` or `Unanswered`."""
        try:
            request = self._http.build_request(
                method, url, params=params or None, json=json, headers=headers, content=content
            )
        except (httpx.InvalidURL, UnicodeError):
            raise Denied(f"cannot be asked, its address is none; {self._advice.address}") from None
        deadline = self._clock.now() + self._seconds if self._deadline is None else self._deadline
        retrying = Retrying(
            retry=retry_if_exception_type(Passing),
            wait=_pause,
            stop=self._is_over,
            sleep=self._clock.sleep,
            retry_error_callback=self._give_up,
        )
        return retrying(self._asked, request, deadline, as_json)

    def _is_over(self, state: RetryCallState) -> bool:
        _, deadline, _ = state.args
        return state.attempt_number >= TRIES or self._clock.now() + state.upcoming_sleep >= deadline

    def _give_up(self, state: RetryCallState) -> Answer:
        tries, error = state.attempt_number, state.outcome.exception()
        often = f", {tries} times" if tries > 1 else ""
        late = "" if tries >= TRIES else ", and 'deadline_seconds' leaves no time to wait"
        raise Unanswered(f"{error}{often}{late}; {error.remedy}") from None

    def _asked(self, request: httpx.Request, deadline: float, as_json: bool) -> Answer:
        """One try, redirects followed as far as the credentials may go."""
        advice = self._advice
        for _ in range(MAX_REDIRECTS + 1):
            if not self._is_own(request.url):
                raise Denied(f"leads to another host or scheme, where the credentials must not go; {advice.base}")
            response, content = self._exchanged(request, deadline)
            if not response.has_redirect_location:
                return judged(response, content, advice, as_json)
            if request.method != "GET":
                raise Denied(f"answered {response.status_code}, a redirect; {advice.base}", response.status_code)
            request = self._http.build_request("GET", joined(request.url, response.headers["location"]))
        raise Denied(f"redirects more than {MAX_REDIRECTS} times; {advice.address}")

    def _is_own(self, url: httpx.URL) -> bool:
        """True for the base address's own scheme, host and port, and for its host by https instead of http."""
        base = self._base
        if url.raw_host != base.raw_host:
            return False
        is_safer = (base.scheme, url.scheme) == ("http", "https")
        return is_safer or (url.scheme, _port(url)) == (base.scheme, _port(base))

    def _exchanged(self, request: httpx.Request, deadline: float) -> tuple[httpx.Response, bytes]:
        end = min(self._take_turn(deadline) + self._timeout, deadline)
        request.extensions["timeout"] = httpx.Timeout(max(end - self._clock.now(), 0.001)).as_dict()
        try:
            with closing(self._http.send(request, stream=True)) as response:
                return response, b"".join(self._pieces(response, end))
        except httpx.TimeoutException:
            raise Passing("did not answer in time") from None
        except UnicodeError:  # httpx looks at where a redirect leads, an international name perhaps
            raise Denied(NOWHERE) from None
        except httpx.LocalProtocolError:
            raise Denied(f"cannot be asked: a header is none; {self._advice.headers}") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            if _is_untrusted(error):
                raise Denied(
                    "has a certificate that this machine does not trust; have it mended, or name your own authority's "
                    "in SSL_CERT_FILE"
                ) from None
            if isinstance(error, httpx.ConnectError):
                raise Passing("cannot be reached", remedy=_REACH) from None
            raise Passing(f"broke off ({type(error).__name__})") from None

    def _take_turn(self, deadline: float) -> float:
        """Waits until another call may be made; the time it is then."""
        with self._lock:
            turn = max(self._clock.now(), self._turn)
            if turn < deadline:
                self._turn = turn + self._gap
                self.asked += 1
        wait = min(turn, deadline) - self._clock.now()
        if wait > 0:
            self._clock.sleep(wait)
        now = self._clock.now()
        if turn >= deadline or now >= deadline:
            raise Unanswered("takes longer than 'deadline_seconds'; raise it in tangga.yml, or ask for less")
        return now

    def _pieces(self, response: httpx.Response, end: float) -> Iterator[bytes]:
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > MAX_ANSWER:
                raise Denied(f"answers with more than {MAX_ANSWER >> 20} MiB at once; {self._advice.size}")
            if self._clock.now() > end:
                raise Passing("did not answer in time")
            yield piece


def _pause(state: RetryCallState) -> float:
    asked = state.outcome.exception().pause
    first, most = BACKOFF
    return random.uniform(0, min(most, first * 2 ** (state.attempt_number - 1))) if asked is None else asked


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


_REACH = "see to it that it runs and that this machine reaches it, or correct the host of the connection in Airflow"
