"""What people are told by: a mail server whose mails are read, and a channel of Slack."""

import json
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer

Mails = Callable[[], list[Message]]


def text(mail: Message) -> str:
    """The body of a mail."""
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/html")
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


class Channel(HTTPServer):
    """Takes what is posted to an incoming webhook as Slack does, and answers with a status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.told: list[tuple[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    server: Channel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append((self.path, body["text"]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...
