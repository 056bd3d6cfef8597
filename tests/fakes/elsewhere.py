"""Another host, to which a tool sends its clients: for a file behind a link of its own, or because it was told to."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.server import Fake, answer

CREDENTIALS = ("authorization", "x-api-key", "cookie")


class Elsewhere(Fake):
    """`files` are the bodies it hands out, by path; whoever asks must bring the query that `put` gave."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, tuple[str, bytes]] = {}

    def put(self, path: str, secret: str, body: bytes) -> str:
        """Keep a file; returns its address, with the secret in the query."""
        self.files[path] = (secret, body)
        return f"{self.url}{path}?X-Amz-Expires=600&X-Amz-Signature={secret}"

    @property
    def credentials(self) -> list[str]:
        """The credentials that arrived here, which should be none: the client sent its key to another host."""
        return [value for asked in self.asked for name, value in asked.headers.items() if name in CREDENTIALS]

    def routes(self) -> list[Route]:
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [Route("/{path:path}", self._file, methods=methods)]

    def _file(self, request: Request) -> Response:
        secret, body = self.files.get(request.url.path, ("", b""))
        if not body:
            return answer({"health_status": "This is not the tool."})
        if request.query_params.get("X-Amz-Signature") != secret:
            return Response(b"<Error><Code>SignatureDoesNotMatch</Code></Error>", 403, media_type="application/xml")
        return Response(body, media_type="application/x-gzip")
