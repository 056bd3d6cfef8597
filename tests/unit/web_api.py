"""A real HTTP server in a thread, which answers what a test tells it to, well or badly."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

SECRET = "s3cret-Pa'ss"


@dataclass(frozen=True)
class Asked:
    """One request. `peer` is the port it came from, and thereby its connection."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    peer: int

    def __getitem__(self, name: str) -> str | None:
        """The first value of a parameter."""
        return self.query.get(name, [None])[0]


@dataclass
class Reply:
    """`body` is sent as JSON unless it is bytes; `drip` is the seconds before each of its bytes; `length` is what the
    header claims."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0
    delay: float = 0.0
    length: int | None = None


class WebApi:
    """`answer` is asked for every reply: a function of `Asked`, or whatever is the body of every answer."""

    def __init__(self, tls: ssl.SSLContext | None = None):
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], object] | object = {}
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        given = self.answer(asked) if callable(self.answer) else self.answer
        return given if isinstance(given, Reply) else Reply(given)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):  # whoever asked did not want the answer
        pass


def _handler(api: WebApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        timeout = 10

        def do_GET(self):
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            query = parse_qs(parts.query, keep_blank_values=True)
            asked = Asked(self.command, parts.path, query, headers, body, self.client_address[1])
            self._send(api.reply(asked))

        do_POST = do_PUT = do_GET

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.delay)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if reply.length is None else reply.length))
            self.end_headers()
            for piece in [body[place : place + 1] for place in range(len(body))] if reply.drip else [body]:
                time.sleep(reply.drip)
                self.wfile.write(piece)
                self.wfile.flush()
            self.close_connection = reply.length is not None or bool(reply.drip)

        def log_message(self, *_):
            pass

    return Handler
