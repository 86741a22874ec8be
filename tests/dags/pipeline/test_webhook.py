"""A dashboard is told that there is something new."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from airflow.exceptions import AirflowException

from medallion.environments import load_environment
from medallion.products import Webhook, load_product
from pipeline.product import product_dag


class Dashboard(HTTPServer):
    """Notes what it is told, and answers with a status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.told = 204, list[Any]()


class Handler(BaseHTTPRequestHandler):
    server: Dashboard

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append((self.path, self.headers["X-Key"], body))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    server = Dashboard()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    known = {"host": "http://127.0.0.1", "port": server.server_port, "extra": {"X-Key": "secret"}}
    monkeypatch.setenv("AIRFLOW_CONN_DASHBOARD", json.dumps({"conn_type": "http", **known}))
    monkeypatch.setattr("pipeline.serve.run_of", lambda context: "r1")
    yield server
    server.shutdown()
    server.server_close()


def tell() -> None:
    """Runs the task of a product with a webhook."""
    product = replace(load_product("sales"), webhook=Webhook("dashboard", "/refresh"))
    product_dag(product, load_environment("local")).get_task("serve.webhook").python_callable()


def test_it_is_told_of_product_and_run(dashboard: Dashboard) -> None:
    tell()
    assert dashboard.told == [("/refresh", "secret", {"product": "sales", "run": "r1"})]


@pytest.mark.parametrize("status", [302, 403, 500])
def test_an_answer_that_is_no_success_fails_the_task(dashboard: Dashboard, status: int) -> None:
    dashboard.status = status
    with pytest.raises(AirflowException, match=str(status)):
        tell()
    assert len(dashboard.told) == 1


def test_without_a_webhook_nobody_is_told() -> None:
    dag = product_dag(load_product("sales"), load_environment("local"))
    assert "serve.webhook" not in dag.task_ids
