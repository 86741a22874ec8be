"""Whatever an API answers: its body, or an error that says what is wrong, soon and in little memory."""

import gzip
import json
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from airflow.exceptions import AirflowException
from hypothesis import given
from hypothesis import strategies as st

from medallion.sources import Pages
from pipeline import http_source
from pipeline.http_source import Api, NotNowError, _following, _of_same_host
from tests.fuzzing import fuzzed

CLEAR = (NotNowError, AirflowException)  # AirflowFailException is one
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("next"), inner),
    max_leaves=10,
)
BODIES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": st.sampled_from(["0", "-1", "1e9", "soon", "Wed, 99 Foo 2026", "9" * 400, "²", ""]),
        "Content-Encoding": st.sampled_from(["gzip", "deflate", "br", "nonsense"]),
        "Content-Type": st.sampled_from(["application/json; charset=nonsense", "text/html", ""]),
        "Location": st.sampled_from(["http://[", "//elsewhere", "javascript:alert(1)"]),
    },
)


class Server(ThreadingHTTPServer):
    """Answers every request with what it was told."""

    daemon_threads = True
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        status, headers, body = self.server.answer
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value.encode().decode("latin-1"))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(http_source, "sleep", lambda seconds: None)
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    with requests.Session() as session:
        session.trust_env = False
        yield Api("api", session, f"http://127.0.0.1:{server.server_port}/rows", 0)


def test_any_answer(server: Server, api: Api) -> None:
    @fuzzed
    @given(st.sampled_from([200, 204, 301, 400, 404, 429, 500, 503]), HEADERS, BODIES)
    def holds(status: int, headers: dict[str, str], body: bytes) -> None:
        server.answer = (status, headers, body if status != 204 else b"")
        try:
            content = api._ask_once(api.url, {})
        except CLEAR as error:
            assert str(error).startswith("api: GET http://127.0.0.1")
            return
        json.loads(content)
        assert status == 200

    holds()


def test_any_next_page(server: Server) -> None:
    url = "https://api.example.com/v1/rows?page=1"
    links = st.text(max_size=60) | st.sampled_from(
        [
            "http://[",
            "//evil.example.com",
            "http://api.example.com/v1",
            "https://api.example.com@evil.example.com",
        ]
    )

    @fuzzed
    @given(JSON, st.text(max_size=10), links)
    def holds(answer: Any, where: str, link: str) -> None:
        _following(json.dumps(answer).encode(), Pages(where or "next"))
        try:
            target = _of_same_host(url, link)
        except AirflowException as error:
            assert "expected the next page on the same host" in str(error)
            return
        prepared = requests.Request("GET", target).prepare()
        assert str(prepared.url).startswith("https://api.example.com/")

    holds()


def test_an_answer_that_unpacks_to_much_is_refused_before_it_is_there(server: Server, api: Api) -> None:
    bomb = gzip.compress(b" " * (http_source.MAX_BYTES + 1)) + gzip.compress(b" " * 200_000_000)
    server.answer = (200, {"Content-Encoding": "gzip"}, bomb)
    tracemalloc.start()
    with pytest.raises(AirflowException, match=r"and over 67,108,864 bytes\. Next: ask for less at a time"):
        api._ask_once(api.url, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * http_source.MAX_BYTES


def test_an_answer_that_is_too_deep_is_told_as_no_json(server: Server, api: Api) -> None:
    server.answer = (200, {}, b"[" * 200_000)
    with pytest.raises(NotNowError, match="that are none: maximum recursion depth exceeded"):
        api._ask_once(api.url, {})


def test_a_redirect_to_what_is_no_url_is_told(server: Server, api: Api) -> None:
    server.answer = (301, {"Location": "http://["}, b"")
    with pytest.raises(
        NotNowError, match=r"api: GET http://127\.0\.0\.1:\d+/rows: ValueError: Invalid IPv6 URL"
    ):
        api._ask_once(api.url, {})
