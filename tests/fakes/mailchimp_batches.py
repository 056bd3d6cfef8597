"""Mailchimp's batches: many requests in one, worked on later, one batch after the other.

Checked against
- https://github.com/Arcadier/Mailchimp-Exporter/wiki/Mailchimp-API-Playground: pending, preprocessing, started,
  finalizing, finished; https://github.com/amro/gibbon (README): the fields of an answer
- https://hexdocs.pm/mailchimp/Mailchimp.Batch.html: "only one batch request is run at a time"
- https://github.com/tbar0970/jethro-pmm/issues/656: a result is `{status_code, operation_id, response}`, and `response`
  is JSON in a text
Results are at another host, behind a link with a secret, as a tar.gz of several JSON files. Here a batch moves on when
it is asked for, or by `finish_batches`; whoever never asks finds it done all the same, since an earlier batch is worked
on before a later one.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from tests.fakes.mailchimp import page, problem
from tests.fakes.mailchimp_rules import INVALID, not_found, refuse
from tests.fakes.server import Refused, answer, sent

MAX_OPERATIONS = 1000
MAX_OPEN = 500
IN_A_FILE = 300
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Batches:
    """The part of a Mailchimp account that works on batches. `polls` is how often one has to ask until it is done;
    with `stuck`, none gets done."""

    def _post_batch(self, request: Request) -> Response:
        operations = sent(request).get("operations")
        if not isinstance(operations, list) or not operations:
            refuse(INVALID, [("operations", "Schema describes array, NULL found instead")])
        if len(operations) > MAX_OPERATIONS:
            refuse(INVALID, [("operations", f"A batch has at most {MAX_OPERATIONS} operations")])
        for place, one in enumerate(operations):
            if one.get("method") not in METHODS or not str(one.get("path", "")).startswith("/"):
                refuse(INVALID, [(f"operations.item:{place}", "method and path are needed")])
            if not isinstance(one.get("body", ""), str):
                refuse(INVALID, [(f"operations.item:{place}.body", "Schema describes string, object found instead")])
        if sum(batch["status"] != "finished" for batch in self.batches.values()) >= MAX_OPEN:
            raise Refused(problem(429, "Too Many Requests", f"You have more than {MAX_OPEN} pending batches."))
        identity = f"b{next(self._ids):09x}"
        batch = {
            "id": identity, "status": "pending", "total_operations": len(operations), "finished_operations": 0,
            "errored_operations": 0, "submitted_at": self.now(), "completed_at": "", "response_body_url": "",
            "_links": [],
        }  # fmt: skip
        self.batches[identity] = batch
        self._work[identity] = {"operations": operations, "results": [], "asked": 0}
        return answer(batch)

    def _get_batch(self, request: Request) -> Response:
        batch = self.batches.get(request.path_params["batch"]) or not_found()
        if batch["status"] != "finished" and not self.stuck:
            work = self._work[batch["id"]]
            work["asked"] += 1
            self._proceed(batch, done=work["asked"] >= self.polls)
        if batch["status"] == "finished":
            secret = f"{next(self._ids):032x}"
            batch["response_body_url"] = self.elsewhere.put(
                f"/mailchimp-api-batch/{batch['id']}-response.tar.gz", secret, self._archive(batch)
            )
        return answer(batch)

    def _get_batches(self, request: Request) -> Response:
        return page(request, "batches", list(self.batches.values()), {})

    def _delete_batch(self, request: Request) -> Response:
        batch = self.batches.pop(request.path_params["batch"], None) or not_found()
        del self._work[batch["id"]]
        return Response(status_code=204)

    def finish_batches(self) -> None:
        """Time goes by, until all batches are done."""
        self.stuck = False
        for batch in self.batches.values():
            self._proceed(batch, done=True)

    def _proceed(self, batch: dict, done: bool) -> None:
        """Work on a batch, to its middle at first; those before it are done by then."""
        for earlier in self.batches.values():
            if earlier is batch:
                break
            self._carry_out(earlier, earlier["total_operations"])
        self._carry_out(batch, batch["total_operations"] // (1 if done else 2))

    def _carry_out(self, batch: dict, number: int) -> None:
        work = self._work[batch["id"]]
        for one in work["operations"][len(work["results"]) : number]:
            response = self._ask(one)
            work["results"].append({
                "status_code": response.status_code, "operation_id": one.get("operation_id"),
                "response": response.body.decode(),
            })  # fmt: skip
            batch["errored_operations"] += response.status_code >= 400
        batch["status"], batch["finished_operations"] = "started", len(work["results"])
        if len(work["results"]) == batch["total_operations"]:
            batch |= {"status": "finished", "completed_at": batch["completed_at"] or self.now()}

    def _ask(self, operation: dict) -> Response:
        """The answer to one operation, by the endpoint that a request of its own would have met."""
        path, query = operation["path"], operation.get("params") or {}
        body = (operation.get("body") or "").encode()
        scope: dict[str, Any] = {
            "type": "http", "method": operation["method"], "path": f"/3.0{path}", "headers": [], "root_path": "",
            "query_string": urlencode(query).encode(), "state": {"body": body},
        }  # fmt: skip
        for route, handler in self._endpoints:
            match, child = route.matches(scope)
            if match is Match.FULL:
                try:
                    return handler(Request(scope | child))
                except Refused as refused:
                    return refused.response
                except json.JSONDecodeError:
                    return self.bad_request("We encountered an unspecified JSON parsing error.")
        return problem(404, "Resource Not Found", "The requested resource could not be found.")

    @property
    def _endpoints(self) -> list[tuple[Route, Any]]:
        """What a batch may ask for: everything but batches."""
        if not self._known_endpoints:
            routes = [route for route in self.routes() if not route.path.startswith("/3.0/batches")]
            self._known_endpoints = [(route, route.endpoint) for route in routes]
        return self._known_endpoints

    def _archive(self, batch: dict) -> bytes:
        results, packed = self._work[batch["id"]]["results"], io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            folder = tarfile.TarInfo("./")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
            for start in range(0, len(results), IN_A_FILE):
                part = json.dumps(results[start : start + IN_A_FILE]).encode()
                entry = tarfile.TarInfo(f"./{batch['id']}_{start // IN_A_FILE}.json")
                entry.size = len(part)
                archive.addfile(entry, io.BytesIO(part))
        return packed.getvalue()
