"""E-mails about runs, as a mail server gets them."""

import json
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.cloud import MAIL_OPTIONS
from local.mail import mail_server
from local.services import free_ports
from medallion.config import load_environment, load_product
from pipeline.notify import on_failure
from pipeline.product import product_dag

PEOPLE = ("one@example.com", "two@example.com")


@pytest.fixture
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The mails that were sent."""
    (port,) = free_ports(1)
    server = mail_server(tmp_path, port)
    server.start()
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": MAIL_OPTIONS}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    yield lambda: [message_from_bytes(path.read_bytes()) for path in sorted(tmp_path.glob("*.eml"))]
    server.stop()


def text(mail: Message) -> str:
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/html")
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_a_failed_task_is_told_once_with_its_reason_and_where_its_log_is(mails: Any) -> None:
    product = replace(load_product("sales"), notify_failure=PEOPLE)
    dag = product_dag(product, load_environment("local"))
    task = dag.get_task("publish")
    (notifier,) = task.on_failure_callback
    url = "http://localhost/dags/sales/runs/r/tasks/publish"
    instance = SimpleNamespace(task_id="publish", try_number=4, log_url=url)
    reason = ValueError("3 < 4 & over")
    notifier({"dag": dag, "ti": instance, "task": task, "run_id": "manual__1", "exception": reason})
    (mail,) = mails()
    assert (mail["From"], mail["Subject"]) == ("medallion@localhost", "sales: publish failed")
    assert mail["To"] == ", ".join(PEOPLE)
    for part in ("after 4 tries", "Run: manual__1", "Reason: 3 &lt; 4 &amp; over", f'href="{url}"'):
        assert part in text(mail)


def test_a_published_run_is_told_with_its_rows(mails: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"read": 1234, "valid": 1230, "rejected": 4, "duplicate": 0}
    monkeypatch.setattr("pipeline.notify.found", lambda context: {"run": "r1"})
    monkeypatch.setattr("pipeline.notify.metrics_of", lambda context: {"rows": rows})
    task = product_dag(load_product("sales"), load_environment("local")).get_task("notify")
    task.python_callable()
    (mail,) = mails()
    assert mail["Subject"] == "sales: published"
    assert "published run r1" in text(mail)
    assert "<td>read</td><td>1,234</td>" in text(mail)


def test_nobody_is_told_where_nobody_asks() -> None:
    product = replace(load_product("sales"), notify_failure=(), notify_success=())
    assert on_failure(product) == []
    assert "notify" not in product_dag(product, load_environment("local")).task_ids


def test_the_end_of_a_run_comes_after_all_that_it_serves() -> None:
    task = product_dag(load_product("sales"), load_environment("local")).get_task("notify")
    assert task.upstream_task_ids == {"publish", "gold.seller_ranking", "serve.report"}
