"""What is to be thought of an API's answer: a success, a refusal for good, or something that may pass."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


class Denied(Exception):
    """The API does not do what it was asked, nor would it the next time. `status` is None when it was not asked;
    `content` is what it said, personal data and all: nothing to be shown."""

    def __init__(self, message: str, status: int | None = None, content: bytes = b""):
        super().__init__(message)
        self.status, self.content = status, content


class Unanswered(Exception):
    """The API could not be reached or was too busy, however often it was tried: later may help."""


class Passing(Exception):
    """One try failed for a reason that may pass; `pause` is how many seconds the API wants to be left alone, `remedy`
    what to do if it does not pass."""

    def __init__(self, message: str, pause: float | None = None, remedy: str = "try again later"):
        super().__init__(message)
        self.pause, self.remedy = pause, remedy


@dataclass(frozen=True)
class Advice:
    """What to do about an answer, in the words of whoever asks: by default those of a source in `tangga.yml`."""

    base: str = "correct 'url' in tangga.yml"
    address: str = "correct 'url' or 'path' in tangga.yml"
    request: str = "correct 'params' or 'path' in tangga.yml"
    credentials: str = "correct the connection in Airflow, or 'auth' in tangga.yml"
    headers: str = "correct 'headers' or the connection in Airflow"
    size: str = "ask for smaller pages"
    other: str = "correct 'url', 'path' or 'params' in tangga.yml"


TO_TOOLS = Advice(
    base="correct the host of the connection in Airflow",
    address="correct the host of the connection in Airflow, or look whether what tangga.yml names was deleted there",
    request="look whether what tangga.yml names was changed there",
    credentials="correct the connection in Airflow",
    headers="correct the connection in Airflow",
    size="ask whoever runs the API",
    other="look whether what tangga.yml names was changed there",
)
"""The same for an e-mail tool that lists go to."""


@dataclass(frozen=True)
class Answer:
    """An answer of status 2xx. `links` are those of its Link header: rel -> address as written there."""

    status: int
    content: bytes = field(repr=False)
    links: dict[str, str] = field(repr=False)
    _url: httpx.URL = field(repr=False)
    document: object = field(default=None, repr=False)
    """What the JSON says, of calls that are `as_json`."""

    def absolute(self, address: str) -> str:
        """An address that the answer gives, relative to its own. Raises `Denied`."""
        return str(joined(self._url, address))


def judged(response: httpx.Response, content: bytes, advice: Advice, as_json: bool) -> Answer:
    status = response.status_code
    if response.is_success:
        document = _document(status, content) if as_json else None
        links = {rel: link["url"] for rel, link in response.links.items()}
        return Answer(status, content, links, response.url, document)
    # some load balancers and APIs say "too many requests" with an empty 403
    if status in (408, 425, 429) or status >= 500 or (status == 403 and not content):
        remedy = "try again later" if status != 403 else "try again later, or let the credentials do this there"
        raise Passing(f"answered {status}", _retry_after(response.headers), remedy)
    raise Denied(f"answered {status} {_advised(status, advice)}", status, content)


def _document(status: int, content: bytes) -> object:
    if status == 204:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Passing(f"answered {status} with something else than JSON", remedy=_NO_JSON) from None


def _advised(status: int, advice: Advice) -> str:
    if status in (400, 422):
        return f"(it does not understand the request); {advice.request}"
    if status == 401:
        return f"(it does not accept the credentials); {advice.credentials}"
    if status == 403:
        return "(the credentials may not do this); let them there, or correct the connection in Airflow"
    if status == 404:
        return f"(there is no such address); {advice.address}"
    return f"(it does not do this); {advice.other}"


NOWHERE = "leads on to an address that is none; ask whoever runs the API"
_NO_JSON = "look what stands between this machine and the API, such as a proxy"


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


def joined(url: httpx.URL, address: str) -> httpx.URL:
    try:
        return url.join(address)
    except (httpx.InvalidURL, ValueError):
        raise Denied(NOWHERE) from None
