"""Messages about runs, as a mail server and a Slack channel get them."""

from dataclasses import replace
from typing import Any

import pytest
from airflow.exceptions import AirflowException

from medallion.alerts import NOBODY, Audience
from medallion.environments import load_environment
from medallion.products import load_product
from pipeline.messages import Message, send
from pipeline.product import product_dag
from tests.dags.pipeline.channels import Channel, Mails, text

PEOPLE = ("one@example.com", "two@example.com")
REASON = "3 < 4 & {{ dag }}"


def test_a_mail_is_escaped_and_no_template(mails: Mails) -> None:
    send(Message("sales: clean failed", {"Reason": REASON, "Rows": None}, "http://log"), Audience(PEOPLE))
    (mail,) = mails()
    assert (mail["From"], mail["Subject"]) == ("medallion@localhost", "sales: clean failed")
    assert mail["To"] == ", ".join(PEOPLE)
    assert "Reason: 3 &lt; 4 &amp; {{ dag }}" in text(mail)
    assert 'href="http://log"' in text(mail)
    assert "Rows" not in text(mail)


def test_a_channel_of_slack_gets_the_same(slack: Channel) -> None:
    send(Message("sales: clean failed", {"Reason": REASON}, "http://log"), Audience(slack="team_channel"))
    expected = "*sales: clean failed*\nReason: 3 &lt; 4 &amp; {{ dag }}\nLog: http://log"
    assert slack.told == [("/services/T1/B2/x3", expected)]


def test_who_was_reached_is_not_told_again_for_the_sake_of_who_was_not(mails: Mails, slack: Channel) -> None:
    slack.status = 500
    send(Message("sales: published"), Audience(PEOPLE, "team_channel"))
    assert [mail["Subject"] for mail in mails()] == ["sales: published"]
    with pytest.raises(AirflowException, match="Nobody could be told 'sales: published': SlackWebhook"):
        send(Message("sales: published"), Audience(slack="team_channel"))


def test_a_published_run_is_told_with_its_rows_and_the_files_that_it_could_not_use(
    mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"read": 1234, "valid": 1230, "rejected": 4, "duplicate": 0}
    files = [
        {"uri": "gs://b/a.csv", "state": "accepted", "reason": None},
        {"uri": "gs://b/b.csv", "state": "rejected", "reason": "empty: the file has no bytes"},
    ]
    monkeypatch.setattr("pipeline.notify.found", lambda context: {"run": "r1"})
    monkeypatch.setattr("pipeline.notify.metrics_of", lambda context: {"rows": rows, "files": files})
    task = product_dag(load_product("sales"), load_environment("local")).get_task("notify")
    task.python_callable()
    (mail,) = mails()
    assert mail["Subject"] == "sales: published"
    assert "<p>Run: r1</p>\n<p>Rows read: 1,234</p>" in text(mail)
    assert "<p>Files rejected: 1; gs://b/b.csv: empty: the file has no bytes</p>" in text(mail)


def test_nobody_is_told_where_nobody_asks() -> None:
    product = replace(load_product("sales"), notify_failure=NOBODY, notify_success=NOBODY)
    assert "notify" not in product_dag(product, load_environment("local")).task_ids


def test_the_end_of_a_run_comes_after_all_that_it_serves() -> None:
    task: Any = product_dag(load_product("sales"), load_environment("local")).get_task("notify")
    assert task.upstream_task_ids == {"publish", "gold.seller_ranking", "serve.report"}
