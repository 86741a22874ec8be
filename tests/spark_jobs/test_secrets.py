"""A job reads a secret by the way that it does in the cloud."""

import resource
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from local.secret_manager import handler, secret
from medallion.errors import MedallionError
from spark_jobs.secrets import ENDPOINT, METADATA, read_secret

NAME = "projects/tests/secrets/hash-key/versions/1"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    monkeypatch.setenv(METADATA, host)
    monkeypatch.setenv(ENDPOINT, f"http://{host}/")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("server")
def test_a_version_is_the_same_every_time_and_unlike_others(tmp_path: Path) -> None:
    first, other = read_secret(NAME), read_secret(NAME.replace("versions/1", "versions/2"))
    assert len(first) == 32
    assert read_secret(NAME) == first != other
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.usefixtures("server")
def test_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(MedallionError, match=r"secret projects/x: expected a version .*404"):
        read_secret("projects/x")


def test_a_disk_that_is_full_leaves_no_secret_that_is_cut_short(tmp_path: Path) -> None:
    most, allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, allowed))
    try:
        with pytest.raises(OSError, match="File too large"):
            secret(tmp_path, "hash-key", "1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, allowed))
    assert list(tmp_path.iterdir()) == []
    assert len(secret(tmp_path, "hash-key", "1")) == 32
