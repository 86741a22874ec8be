"""Secret Manager and the metadata server of the local cloud: secrets made at random, kept in files."""

import argparse
import base64
import json
import re
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"
ACCESS = re.compile(r"/v1/(projects/[\w-]+/secrets/([\w-]+)/versions/([\w-]+)):access")
SECRET_BYTES = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(arguments.folder)).serve_forever()


def secret(folder: Path, name: str, version: str) -> bytes:
    """A secret's version; made when it is first asked for, and the same ever after."""
    path = folder / f"{name}-{version}"
    if not path.exists():
        # Under its name only when whole, for the disk may be full; of two that make it at once, one counts.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".") as new, suppress(FileExistsError):
            new.write(secrets.token_bytes(SECRET_BYTES))
            new.flush()
            path.hardlink_to(new.name)
    return path.read_bytes()


def handler(folder: Path) -> Callable[..., BaseHTTPRequestHandler]:
    """The two requests that a job makes for a secret."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = ACCESS.fullmatch(self.path)
            if self.path == TOKEN and self.headers["Metadata-Flavor"] == "Google":
                self._answer(200, {"access_token": "local", "expires_in": 3600, "token_type": "Bearer"})
            elif wanted and (self.headers["Authorization"] or "").startswith("Bearer "):
                payload = base64.b64encode(secret(folder, wanted[2], wanted[3])).decode()
                self._answer(200, {"name": wanted[1], "payload": {"data": payload}})
            else:
                self._answer(404, {"error": {"code": 404, "message": f"{self.path} is not here"}})

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing: what is asked for here is nobody's business."""

    return Handler


if __name__ == "__main__":
    main()
