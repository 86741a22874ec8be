"""The mail server of the local cloud: each mail that it gets becomes a file that can be read."""

import argparse
import threading
from email.message import Message
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    mail_server(arguments.folder, arguments.port).start()
    threading.Event().wait()


def mail_server(folder: Path, port: int) -> Controller:
    """A server on loopback that is yet to be started."""
    folder.mkdir(parents=True, exist_ok=True)
    return Controller(_Folder(folder), hostname="127.0.0.1", port=port)


class _Folder(Handler):
    """Numbers mails in the order of their arrival."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def handle_message(self, message: Message) -> None:
        number = len(list(self._folder.glob("*.eml"))) + 1
        (self._folder / f"{number:04}.eml").write_bytes(message.as_bytes())


if __name__ == "__main__":
    main()
