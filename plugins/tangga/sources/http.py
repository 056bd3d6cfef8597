"""HTTP calls to somebody else's API: throttled, bounded in time and size, repeated where that may help.

`Client.call` gives an answer of success or raises `Denied` (asking again would not help) or `Unanswered` (it may).
The credentials go to one place only: scheme, host and port of the base address. No message tells what was sent or
answered, nor an address: these hold secrets and ids of people.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

TRIES = 5
BACKOFF = (2.0, 60.0)
"""Full jitter: before the second try a random wait of up to so many seconds, then up to twice as many, ..., up to the
second figure. An answer's `Retry-After` goes before it."""

MAX_ANSWER = 64 << 20
"""Largest answer that is read, in bytes, decompressed."""

MAX_REDIRECTS = 5

for _name in ("httpx", "httpcore"):  # they log every address, with its query string
    logging.getLogger(_name).setLevel(logging.WARNING)


class Denied(Exception):
    """The API does not do what it was asked, nor would it the next time. `status` is None when it was not asked."""

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class Unanswered(Exception):
    """The API could not be reached or was too busy, however often it was tried: later may help."""


class _Passing(Exception):
    """One try failed for a reason that may pass; `pause` is how many seconds the API wants to be left alone, `remedy`
    what to do if it does not pass."""

    def __init__(self, message: str, pause: float | None = None, remedy: str = "try again later"):
        super().__init__(message)
        self.pause, self.remedy = pause, remedy


@dataclass(frozen=True)
class Answer:
    """An answer of status 2xx. `links` are those of its Link header: rel -> address as written there."""

    status: int
    content: bytes = field(repr=False)
    links: dict[str, str] = field(repr=False)
    _url: httpx.URL = field(repr=False)

    def absolute(self, address: str) -> str:
        """An address that the answer gives, relative to its own. Raises `Denied`."""
        return str(_joined(self._url, address))


class Clock:
    """Seconds that only go forward, and how to wait for them."""

    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Client:
    """Calls to the API at one base address, over connections that are kept. To be closed.

    `headers` go with every call, the credentials among them. A call takes at most `timeout_seconds`, all together
    `deadline_seconds` from now on; `per_second` calls are made at most.
    """

    def __init__(
        self,
        base: str,
        headers: dict[str, str],
        timeout_seconds: float,
        deadline_seconds: float,
        per_second: float | None = None,
        clock: Clock | None = None,
    ):
        self._clock = clock or Clock()
        self._base = httpx.URL(base)
        self._timeout = timeout_seconds
        self._deadline = self._clock.now() + deadline_seconds
        self._gap = 1 / per_second if per_second else 0.0
        self._turn = self._clock.now()
        self._http = httpx.Client(headers=headers, limits=httpx.Limits(max_connections=10))

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, url: str, params: dict | None = None, json: object = None) -> Answer:
        """Ask for an address below the base, or one that an answer gave. Raises `Denied` or `Unanswered`."""
        try:
            request = self._http.build_request(method, url, params=params or None, json=json)
        except (httpx.InvalidURL, UnicodeError):
            raise Denied("cannot be asked, its address is none; correct 'url' or 'path' in tangga.yml") from None
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            wait=_pause,
            stop=self._is_over,
            sleep=self._clock.sleep,
            retry_error_callback=self._give_up,
        )
        return retrying(self._asked, request)

    def _is_over(self, state: RetryCallState) -> bool:
        return state.attempt_number >= TRIES or self._clock.now() + state.upcoming_sleep >= self._deadline

    def _give_up(self, state: RetryCallState) -> Answer:
        tries, error = state.attempt_number, state.outcome.exception()
        often = f", {tries} times" if tries > 1 else ""
        late = "" if tries >= TRIES else ", and 'deadline_seconds' leaves no time to wait"
        raise Unanswered(f"{error}{often}{late}; {error.remedy}") from None

    def _asked(self, request: httpx.Request) -> Answer:
        """One try, redirects followed as far as the credentials may go."""
        for _ in range(MAX_REDIRECTS + 1):
            if not self._is_own(request.url):
                raise Denied(
                    "leads to another host or scheme, where the credentials must not go; correct 'url' in tangga.yml"
                )
            response, content = self._exchanged(request)
            if not response.has_redirect_location:
                return _judged(response, content)
            if request.method != "GET":
                raise Denied(f"answered {response.status_code}, a redirect; correct 'url' in tangga.yml")
            request = self._http.build_request("GET", _joined(request.url, response.headers["location"]))
        raise Denied(f"redirects more than {MAX_REDIRECTS} times; correct 'url' or 'path' in tangga.yml")

    def _is_own(self, url: httpx.URL) -> bool:
        """True for the base address's own scheme, host and port, and for its host by https instead of http."""
        base = self._base
        if url.raw_host != base.raw_host:
            return False
        is_safer = (base.scheme, url.scheme) == ("http", "https")
        return is_safer or (url.scheme, _port(url)) == (base.scheme, _port(base))

    def _exchanged(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        end = min(self._take_turn() + self._timeout, self._deadline)
        request.extensions["timeout"] = httpx.Timeout(max(end - self._clock.now(), 0.001)).as_dict()
        try:
            with closing(self._http.send(request, stream=True)) as response:
                return response, b"".join(self._pieces(response, end))
        except httpx.TimeoutException:
            raise _Passing("did not answer in time") from None
        except UnicodeError:  # httpx looks at where a redirect leads, an international name perhaps
            raise Denied(_NOWHERE) from None
        except httpx.LocalProtocolError:
            raise Denied("cannot be asked: a header is none; correct 'headers' or the connection in Airflow") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            if _is_untrusted(error):
                raise Denied(
                    "has a certificate that this machine does not trust; have it mended, or name your own authority's "
                    "in SSL_CERT_FILE"
                ) from None
            if isinstance(error, httpx.ConnectError):
                raise _Passing("cannot be reached", remedy=_REACH) from None
            raise _Passing(f"broke off ({type(error).__name__})") from None

    def _take_turn(self) -> float:
        """Waits until another call may be made; the time it is then."""
        wait = min(self._turn, self._deadline) - self._clock.now()
        if wait > 0:
            self._clock.sleep(wait)
        now = self._clock.now()
        if now >= self._deadline:
            raise Unanswered("takes longer than 'deadline_seconds'; raise it in tangga.yml, or ask for less")
        self._turn = max(now, self._turn) + self._gap
        return now

    def _pieces(self, response: httpx.Response, end: float) -> Iterator[bytes]:
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > MAX_ANSWER:
                raise Denied(f"answers with more than {MAX_ANSWER >> 20} MiB at once; ask for smaller pages")
            if self._clock.now() > end:
                raise _Passing("did not answer in time")
            yield piece


def _judged(response: httpx.Response, content: bytes) -> Answer:
    status = response.status_code
    if response.is_success:
        return Answer(status, content, {rel: link["url"] for rel, link in response.links.items()}, response.url)
    # some load balancers and APIs say "too many requests" with an empty 403
    if status in (408, 425, 429) or status >= 500 or (status == 403 and not content):
        remedy = "try again later" if status != 403 else "try again later, or let the credentials do this there"
        raise _Passing(f"answered {status}", _retry_after(response.headers), remedy)
    raise Denied(f"answered {status} {_ADVICE.get(status, _OTHER)}", status)


_REACH = "see to it that it runs and that this machine reaches it, or correct the host of the connection in Airflow"
_NOWHERE = "leads on to an address that is none; ask whoever runs the API"
_REQUEST = "(it does not understand the request); correct 'params' or 'path' in tangga.yml"
_OTHER = "(it does not do this); correct 'url', 'path' or 'params' in tangga.yml"
_ADVICE = {
    400: _REQUEST,
    401: "(it does not accept the credentials); correct the connection in Airflow, or 'auth' in tangga.yml",
    403: "(the credentials may not do this); let them there, or correct the connection in Airflow",
    404: "(there is no such address); correct 'url' or 'path' in tangga.yml",
    422: _REQUEST,
}


def _pause(state: RetryCallState) -> float:
    asked = state.outcome.exception().pause
    first, most = BACKOFF
    return random.uniform(0, min(most, first * 2 ** (state.attempt_number - 1))) if asked is None else asked


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, as the header says in seconds or as a date (by the API's own clock where it tells it)."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    moment = _moment(said)
    return moment and max(0.0, (moment - (_moment(headers.get("date", "")) or datetime.now(UTC))).total_seconds())


def _moment(said: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _joined(url: httpx.URL, address: str) -> httpx.URL:
    try:
        return url.join(address)
    except (httpx.InvalidURL, ValueError):
        raise Denied(_NOWHERE) from None


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
