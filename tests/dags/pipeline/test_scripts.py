"""What bounds every job and question of the pipeline, and which of them are asked again."""

from typing import Any

import pytest
from airflow.exceptions import AirflowFailException
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import Client

from medallion.environments import load_environment
from pipeline.scripts import client, query, script


def test_no_query_is_billed_for_more_than_the_environment_allows(emulators: None) -> None:
    environment = load_environment("local")
    limit = environment.max_bytes_billed
    assert script(environment, "SELECT 1", {})["query"]["maximumBytesBilled"] == str(limit)
    assert client(environment).default_query_job_config.maximum_bytes_billed == limit


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("invalidQuery", AirflowFailException),
        ("resourcesExceeded", AirflowFailException),
        ("jobBackendError", BadRequest),  # a failed job is told by the status of a wrong request
        ("jobRateLimitExceeded", BadRequest),
        ("tableUnavailable", BadRequest),
    ],
)
def test_a_question_fails_for_good_only_where_no_other_try_mends_it(
    emulators: None, monkeypatch: pytest.MonkeyPatch, reason: str, error: type[Exception]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BadRequest("no answer", errors=[{"reason": reason, "message": "no answer"}])

    monkeypatch.setattr(Client, "query", refuse)
    with pytest.raises(error, match="no answer"):
        query(load_environment("local"), "pipeline/ledger.sql", product="orders")
