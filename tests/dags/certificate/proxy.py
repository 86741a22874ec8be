"""A proxy before a service that speaks HTTP, which lets requests fail as a plan says."""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.dags.certificate.faults import Fault, Plan

HOP = ("connection", "content-length", "host", "transfer-encoding", "accept-encoding", "keep-alive")


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def told(document: Any, status: int = 200) -> Reply:
    """A reply with a JSON document."""
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())


def refusal(status: int, reason: str, message: str) -> Reply:
    """An error as Google's JSON APIs tell it."""
    detail = {"reason": reason, "message": message, "domain": "global"}
    return told({"error": {"code": status, "message": message, "errors": [detail]}}, status)


class Proxy:
    """Forwards requests; subclasses name those that a fault may be planned for, and do more than these do:

    `kill before`, `kill during` and `kill after` kill the worker that asked, before the request is forwarded,
    while it is worked on, and when it is done; `lose reply` forwards it and closes the connection; `refuse`
    answers with an error instead.
    """

    service = ""

    def __init__(self, upstream: str, plan: Plan) -> None:
        parts = urlsplit(upstream)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._plan = plan
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.answer))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients are to go instead."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kind(self, request: Request) -> str:
        """What a fault calls a request; nothing for one that none is planned for."""
        return ""

    def answer(self, request: Request) -> Reply | None:
        """The reply; None where the connection is closed without one."""
        kind = self.kind(request)
        fault = self._plan.take(self.service, kind) if kind else None
        return self.let_fail(request, fault) if fault else self.forward(request)

    def let_fail(self, request: Request, fault: Fault) -> Reply | None:
        match fault.action:
            case "kill before":
                self._plan.kill()
            case "kill during":
                self.forward(request, sent=self._plan.kill)
            case "kill after":
                self.forward(request)
                self._plan.kill()
            case "lose reply":
                self.forward(request)
            case "refuse":
                return refusal(**fault.told)
            case unknown:
                raise ValueError(f"{self.service}: no such fault: {unknown}")
        return None

    def forward(self, request: Request, sent: Callable[[], None] = lambda: None) -> Reply:
        """Asks the service itself; `sent` is called once it has the request."""
        connection = http.client.HTTPConnection(*self._upstream)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            sent()
            reply = connection.getresponse()
            headers = {key: value for key, value in reply.getheaders() if key.lower() not in HOP}
            return Reply(reply.status, headers, reply.read())
        finally:
            connection.close()


def _handler(answer: Callable[[Request], Reply | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self._body()
            headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP}
            reply = answer(Request(self.command, self.path, headers, body))
            if reply is None:
                self.close_connection = True
                return
            self.send_response_only(reply.status)
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
