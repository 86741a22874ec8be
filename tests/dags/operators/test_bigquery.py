"""BigQuery jobs on the emulator: submitted once, adopted afterwards, tried anew when they failed."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from airflow.exceptions import AirflowException, AirflowFailException
from google.api_core.exceptions import RetryError
from google.cloud import bigquery

from medallion.environments import load_environment
from medallion.sql import render
from operators.bigquery import BigQueryJobOperator, _failure
from tests.conftest import PROJECT


@pytest.fixture(autouse=True)
def emulator(bigquery_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_url)


@pytest.fixture
def table(warehouse: bigquery.Client, request: pytest.FixtureRequest) -> str:
    """An empty table of the test's own."""
    name = f"gold.{request.node.name}"
    rows(warehouse, f"CREATE TABLE {name} (n INT64)")
    return name


def rows(warehouse: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values()) for row in warehouse.query(sql, retry=None, job_retry=None).result(retry=None)
    ]


def operator(
    sql: str, identity: str, labels: dict[str, str] | None = None, **arguments: Any
) -> BigQueryJobOperator:
    job = {"query": {"query": sql, "useLegacySql": False}, "labels": labels or {}}
    return BigQueryJobOperator(
        task_id="work",
        configure=lambda context: (identity, job),
        project_id=PROJECT,
        location="US",
        deferrable=True,
        **arguments,
    )


def test_a_job_runs_under_the_identity_of_its_work(
    warehouse: bigquery.Client, table: str, context: dict[str, Any]
) -> None:
    job_id = operator(f"INSERT INTO {table} VALUES (1)", "first").execute(context)
    assert job_id.startswith("first_")
    assert job_id.endswith("-1")
    assert warehouse.get_job(job_id, location="US").state == "DONE"


def test_the_same_work_is_done_once(warehouse: bigquery.Client, table: str, context: dict[str, Any]) -> None:
    tries = [operator(f"INSERT INTO {table} VALUES (1)", "same").execute(context) for _ in range(3)]
    assert len(set(tries)) == 1
    assert rows(warehouse, f"SELECT COUNT(*) FROM {table}") == [(1,)]


def test_other_sql_is_other_work(warehouse: bigquery.Client, table: str, context: dict[str, Any]) -> None:
    for number in (1, 2):
        operator(f"INSERT INTO {table} VALUES ({number})", "other").execute(context)
    assert rows(warehouse, f"SELECT SUM(n) FROM {table}") == [(3,)]


def test_another_run_is_other_work(warehouse: bigquery.Client, table: str, context: dict[str, Any]) -> None:
    for run in ("r1", "r2"):
        operator(f"INSERT INTO {table} VALUES (1)", f"again-{run}").execute(context)
    assert rows(warehouse, f"SELECT COUNT(*) FROM {table}") == [(2,)]


def test_after_a_failed_job_comes_the_next_attempt(
    warehouse: bigquery.Client, table: str, context: dict[str, Any]
) -> None:
    sql = f"SELECT IF(COUNT(*) = 0, ERROR('no rows yet'), 'fine') FROM {table}"
    with pytest.raises(AirflowFailException, match="no rows yet"):
        operator(sql, "mended").execute(context)
    rows(warehouse, f"INSERT INTO {table} VALUES (1)")
    assert operator(sql, "mended").execute(context).endswith("-2")


def test_a_job_whose_result_may_have_expired_is_done_again(
    warehouse: bigquery.Client, table: str, context: dict[str, Any]
) -> None:
    for number in (1, 2):
        job_id = operator(f"INSERT INTO {table} VALUES (1)", "expired", kept_days=0).execute(context)
        assert job_id.endswith(f"-{number}")
    assert rows(warehouse, f"SELECT COUNT(*) FROM {table}") == [(2,)]


def test_what_succeeded_before_its_run_began_is_done_again_once(
    warehouse: bigquery.Client, table: str, context: dict[str, Any]
) -> None:
    job_ids = []
    for tries in (1, 2):
        began = SimpleNamespace(start_date=datetime.now(UTC))
        for _ in range(tries):
            work = operator(f"INSERT INTO {table} VALUES (1)", "undone", within_run=True)
            job_ids.append(work.execute({**context, "dag_run": began}))
    assert [job_id[-2:] for job_id in job_ids] == ["-1", "-2", "-2"]
    assert rows(warehouse, f"SELECT COUNT(*) FROM {table}") == [(2,)]


def test_a_job_that_fails_after_the_task_was_put_off_is_as_final(
    warehouse: bigquery.Client, context: dict[str, Any]
) -> None:
    failing = operator("SELECT ERROR('audit failed')", "late")
    with pytest.raises(AirflowFailException):
        failing.execute(context)
    job_id = failing.job_id if failing.job_id.endswith("-1") else f"{failing.job_id}-1"
    context["ti"].xcom_push("job_id_path", f"{PROJECT}:US:{job_id}")
    with pytest.raises(AirflowFailException, match="audit failed"):
        operator("", "late").execute_complete(context, {"status": "error", "message": "audit failed"})


def test_wrong_sql_is_final(context: dict[str, Any], warehouse: bigquery.Client) -> None:
    with pytest.raises(AirflowFailException, match=r"wrong_\w+-1 failed: .*no_such_table"):
        operator("SELECT * FROM gold.no_such_table", "wrong").execute(context)


def test_a_job_that_has_ended_is_noted_with_what_it_was_for(
    warehouse: bigquery.Client, table: str, context: dict[str, Any]
) -> None:
    warehouse.create_dataset("ops", exists_ok=True)
    warehouse.query(render("ops/tables.sql", load_environment("local"))).result()
    named = {"product": "noted", "run": "r1", "step": "gold"}
    noted = {"labels": named, "noted_in": f"{PROJECT}.ops.jobs"}
    job_id = operator(f"INSERT INTO {table} VALUES (1)", "noted", **noted).execute(context)
    with pytest.raises(AirflowFailException):
        operator("SELECT ERROR('no')", "noted", **noted).execute(context)
    told = f"product, run, step, failed, job_id = '{job_id}', ended_at >= started_at"
    assert rows(warehouse, f"SELECT {told} FROM ops.jobs WHERE product = 'noted' ORDER BY failed") == [
        ("noted", "r1", "gold", False, True, True),
        ("noted", "r1", "gold", True, False, True),
    ]


def test_a_job_that_still_runs_is_not_noted(
    table: str, context: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = operator(f"INSERT INTO {table} VALUES (1)", "runs", noted_in=f"{PROJECT}.gold.no_such_table")
    job_id = work.execute(context)
    context["ti"].xcom_push("job_id_path", f"{PROJECT}:US:{job_id}")
    tried = f"Job {job_id} is not noted"  # what each try to note it is told
    caplog.clear()
    with monkeypatch.context() as running:
        running.setattr(bigquery.QueryJob, "state", "RUNNING")  # the emulator's jobs are done at once
        with pytest.raises(AirflowException, match="no answer") as failure:
            work.execute_complete(context, {"status": "error", "message": "no answer"})
    assert type(failure.value) is AirflowException  # which is tried again
    assert tried not in caplog.text
    work.execute_complete(context, {"status": "success", "message": "", "job_id": job_id})
    assert tried in caplog.text


def test_a_job_goes_well_though_it_cannot_be_noted(
    table: str, context: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    job_id = operator(
        f"INSERT INTO {table} VALUES (1)", "unnoted", noted_in=f"{PROJECT}.gold.no_such_table"
    ).execute(context)
    assert f"Job {job_id} is not noted in {PROJECT}.gold.no_such_table" in caplog.text


@pytest.mark.parametrize("reason", [RetryError("deadline", None), requests.ConnectionError("reset")])
def test_nor_does_a_job_fail_where_nothing_answers_its_note(
    warehouse: bigquery.Client,
    context: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    reason: Exception,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise reason

    monkeypatch.setattr(bigquery.Client, "insert_rows_json", fail)
    job_id = operator(f"SELECT '{reason}'", "alone", noted_in="ops.jobs").execute(context)
    assert f"Job {job_id} is not noted in ops.jobs: {reason}" in caplog.text


@pytest.mark.parametrize(
    ("reason", "message", "error"),
    [
        ("invalidQuery", "Syntax error", AirflowFailException),
        ("notFound", "No such table", AirflowFailException),
        ("accessDenied", "Denied", AirflowFailException),
        ("backendError", "Try again", AirflowException),
        ("rateLimitExceeded", "Too many", AirflowException),
        ("invalidQuery", "Transaction could not serialize access to a table", AirflowException),
        ("invalidQuery", "Transaction is aborted due to concurrent update", AirflowException),
        ("resourcesExceeded", "Too many DML statements outstanding against table t", AirflowException),
        ("resourcesExceeded", "The query could not be executed in the allotted memory", AirflowFailException),
    ],
)
def test_only_what_another_try_can_mend_is_tried_again(
    reason: str, message: str, error: type[Exception]
) -> None:
    failure = _failure("job", {"reason": reason, "message": message})
    assert type(failure) is error
    assert str(failure) == f"BigQuery job job failed: {reason}: {message}"
