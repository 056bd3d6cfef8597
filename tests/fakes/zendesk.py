"""A Zendesk account, as the incremental export of tickets shows it.

Checked against
- https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/ and
  https://developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api: first
  `start_time`, then `cursor`, until `end_of_stream`; `exclude_deleted`; 10 requests a minute, 429 with Retry-After
- https://developer.zendesk.com/documentation/ticketing/using-the-zendesk-api/side_loading/: `include=users,metric_sets`
  gives each a list of its own beside `tickets`
- https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_metrics/: fields of a metric set
Tickets are told by `generated_timestamp`, which moves with every change, also Zendesk's own. The words of the 429 are
not documented.
"""

from __future__ import annotations

import base64
import time
from datetime import datetime
from itertools import count

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.limits import RollingWindow
from tests.fakes.server import Fake, answer, endpoint


class Zendesk(Fake):
    """`login` is the agent's address followed by /token; `max_page` is the largest page (Zendesk's is 1000)."""

    def __init__(self, token: str = "fake-token", max_page: int = 1000, requests: int = 10) -> None:
        super().__init__(token)
        self.login, self.max_page = "agent@shop.example/token", max_page
        self.window = RollingWindow(requests, 60.0)
        self.users: dict[int, dict] = {}
        self.tickets: dict[int, dict] = {}
        self.metric_sets: dict[int, dict] = {}
        self._ids = count(360001)

    # ---- what is in the account

    def add_user(self, email: str | None, **fields) -> dict:
        """Somebody who writes to the company, or answers for it."""
        user = {"id": next(self._ids), "email": email, "name": "", "phone": None, "role": "end-user"} | fields
        self.users[user["id"]] = user
        return user

    def add_ticket(self, requester: dict, at: str = "2026-03-10T03:00:00Z", **fields) -> dict:
        """A ticket that `requester` opened at `at`; nobody has answered it."""
        identity = next(self._ids)
        ticket = {
            "id": identity, "url": f"{self.url}/api/v2/tickets/{identity}.json", "external_id": None,
            "via": {"channel": "email", "source": {}}, "created_at": at, "updated_at": at,
            "generated_timestamp": _unix(at), "type": None, "subject": "", "priority": None, "status": "new",
            "requester_id": requester["id"], "submitter_id": requester["id"], "assignee_id": None, "group_id": None,
            "tags": [], "custom_fields": [], "satisfaction_rating": {"score": "unoffered"}, "ticket_form_id": None,
            "brand_id": None, "is_public": True,
        } | fields  # fmt: skip
        self.tickets[identity] = ticket
        self.metric_sets[identity] = {
            "id": next(self._ids), "ticket_id": identity, "created_at": at, "updated_at": at, "reopens": 0,
            "replies": 0, "assigned_at": None, "solved_at": None, "latest_comment_added_at": at,
            "reply_time_in_minutes": {"calendar": None, "business": None}, "reply_time_in_seconds": {"calendar": None},
        }  # fmt: skip
        return ticket

    def change(self, ticket: dict, at: str, **fields) -> None:
        """New values of some fields; to delete a ticket is to change its status to `deleted`."""
        ticket |= {"updated_at": at, "generated_timestamp": _unix(at)} | fields

    def reply(self, ticket: dict, at: str) -> None:
        """The first public answer."""
        seconds = _unix(at) - _unix(ticket["created_at"])
        self.metric_sets[ticket["id"]] |= {
            "replies": 1,
            "reply_time_in_minutes": {"calendar": seconds // 60, "business": seconds // 120},
            "reply_time_in_seconds": {"calendar": seconds},
        }
        self.change(ticket, at, status="pending")

    def solve(self, ticket: dict, at: str, reopens: int = 0) -> None:
        """The ticket is solved, after it was opened again so often."""
        self.metric_sets[ticket["id"]] |= {"solved_at": at, "reopens": reopens}
        self.change(ticket, at, status="solved")

    # ---- what it answers

    def routes(self) -> list[Route]:
        return [endpoint(f"/api/v2/incremental/tickets/{name}", self._tickets) for name in ("cursor.json", "cursor")]

    def refusal(self, request: Request) -> Response | None:
        basic = "Basic " + base64.b64encode(f"{self.login}:{self.token}".encode()).decode()
        if request.headers.get("Authorization") not in (basic, f"Bearer {self.token}"):
            return answer({"error": "Couldn't authenticate you"}, 401)
        if not self.window.admits():
            what = "Number of allowed incremental ticket export API requests per minute exceeded"
            return answer({"error": "APIRateLimitExceeded", "description": what}, 429, {"Retry-After": "60"})
        return None

    def _tickets(self, request: Request) -> Response:
        query = request.query_params
        if "cursor" in query:
            since, last = map(int, base64.b64decode(query["cursor"]).decode().split("||"))
        elif "start_time" in query:
            since, last = int(query["start_time"]), 0
        else:
            return answer({"error": "InvalidValue", "description": "start_time or cursor is required"}, 400)
        if since > time.time() - 60:
            what = "Too recent start_time. Use a start_time older than 60 seconds"
            return answer({"error": "InvalidValue", "description": what}, 422)
        changed = sorted(self.tickets.values(), key=lambda ticket: (ticket["generated_timestamp"], ticket["id"]))
        left = [
            ticket
            for ticket in changed
            if (ticket["generated_timestamp"], ticket["id"]) > (since, last)
            and not (query.get("exclude_deleted") == "true" and ticket["status"] == "deleted")
        ]
        shown = left[: min(int(query.get("per_page", 1000)), self.max_page)]
        if shown:
            since, last = shown[-1]["generated_timestamp"], shown[-1]["id"]
        cursor = base64.b64encode(f"{since}||{last}".encode()).decode()
        content = {
            "tickets": shown, "after_url": f"{self.url}{request.url.path}?cursor={cursor}", "after_cursor": cursor,
            "before_url": None, "before_cursor": None, "end_of_stream": len(shown) == len(left),
        }  # fmt: skip
        included = query.get("include", "").split(",")
        if "users" in included:
            known = {ticket[role] for ticket in shown for role in ("requester_id", "submitter_id", "assignee_id")}
            content["users"] = [user for identity, user in self.users.items() if identity in known]
        if "metric_sets" in included:
            content["metric_sets"] = [self.metric_sets[ticket["id"]] for ticket in shown]
        return answer(content)


def _unix(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
