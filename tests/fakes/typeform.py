"""A Typeform account, as the Responses API shows it: the answers to a form.

Checked against
- https://www.typeform.com/developers/responses/reference/retrieve-responses/ (and what
  https://seatunnel.apache.org/docs/connectors/source/Typeform says of it): `page_size` of 25, at most 1000; `since`
  and `until`, both inclusive, in seconds or ISO 8601; `before` a token; completed answers unless asked otherwise
- https://github.com/airbytehq/airbyte (source-typeform/integration_tests/expected_records.jsonl): whole answers
The newest come first; a question that was skipped has no answer; an account may ask twice a second.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import count

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.limits import LeakyBucket
from tests.fakes.server import Fake, answer, endpoint


class Typeform(Fake):
    """`max_page` is the largest page it gives (Typeform's is 1000)."""

    def __init__(self, token: str = "tfp_fake", max_page: int = 1000, bucket: int = 2) -> None:
        super().__init__(token)
        self.max_page = max_page
        self.bucket = LeakyBucket(bucket, 2.0)
        self.forms: dict[str, dict] = {}
        self.responses: dict[str, list[dict]] = {}
        self._ids = count(1)

    # ---- what is in the account

    def add_form(self, title: str, form_id: str) -> dict:
        """A form that nobody has answered."""
        form = {"id": form_id, "type": "quiz", "title": title, "settings": {}, "fields": [], "hidden": []}
        self.forms[form_id], self.responses[form_id] = form, []
        return form

    def respond(self, form: dict, at: str, *answers: dict, hidden: dict | None = None, kind: str = "completed") -> dict:
        """Somebody answered, at `at`; the answers come in the order in which they were given."""
        token = hashlib.md5(f"{form['id']} {next(self._ids)}".encode()).hexdigest()
        response = {
            "landing_id": token, "token": token, "response_id": token, "response_type": kind, "landed_at": at,
            "submitted_at": at, "metadata": {"user_agent": "", "platform": "other", "referer": ""},
            "hidden": hidden or {}, "calculated": {"score": 0}, "answers": list(answers),
        }  # fmt: skip
        self.responses[form["id"]].append(response)
        return response

    # ---- what it answers

    def routes(self) -> list[Route]:
        return [
            endpoint("/forms/{form}", lambda request: self._of_form(request, lambda form: answer(self.forms[form]))),
            endpoint("/forms/{form}/responses", lambda request: self._of_form(request, lambda _: self._list(request))),
        ]

    def refusal(self, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return error(401, "AUTHENTICATION_FAILED", "Authentication credentials not found on the Request Headers")
        if not self.bucket.admits():
            return error(429, "TOO_MANY_REQUESTS", "Too many requests")
        return None

    def _of_form(self, request: Request, reply) -> Response:
        form = request.path_params["form"]
        return reply(form) if form in self.forms else error(404, "FORM_NOT_FOUND", "Form not found")

    def _list(self, request: Request) -> Response:
        query = request.query_params
        wanted = query.get("response_type", "completed").split(",")
        found = [
            response
            for response in reversed(self.responses[request.path_params["form"]])
            if response["response_type"] in wanted
            and ("since" not in query or _unix(response["submitted_at"]) >= _unix(query["since"]))
            and ("until" not in query or _unix(response["submitted_at"]) <= _unix(query["until"]))
        ]
        tokens = [response["token"] for response in found]
        if "before" in query:
            found = found[tokens.index(query["before"]) + 1 :] if query["before"] in tokens else []
        size = min(int(query.get("page_size", 25)), self.max_page)
        pages = -(-len(found) // size)
        return answer({"total_items": len(found), "page_count": pages, "items": found[:size]})


def said(ref: str, kind: str, value) -> dict:
    """An answer: the question's reference and type (nps, opinion_scale, rating, email, long_text), and what it is."""
    name = {"email": "email", "long_text": "text", "short_text": "text"}.get(kind, "number")
    field = {"id": hashlib.md5(ref.encode()).hexdigest()[:12], "type": kind, "ref": ref}
    return {"field": field, "type": name, name: value}


def error(status: int, code: str, description: str) -> Response:
    """An error as Typeform writes it."""
    return answer({"code": code, "description": description}, status)


def _unix(moment: str) -> int:
    return int(moment) if moment.isdigit() else int(datetime.fromisoformat(moment).timestamp())
