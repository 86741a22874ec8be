"""Spark jobs on a local Dataproc: submitted once, adopted afterwards, tried anew when they failed."""

import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.exceptions import AirflowException, TaskDeferred
from airflow.providers.google.cloud.hooks.dataproc import DataprocHook
from google.api_core import grpc_helpers, grpc_helpers_async
from google.cloud.dataproc_v1 import Batch

from local.airflow_plugins.local_google import redirect_dataproc
from medallion.environments import Environment, Spark, load_environment
from operators.dataproc import BatchOperator, JobOperator, spark_job, spark_operator
from operators.model import MLModelTrainJobOperator

LOCAL = load_environment("local")
CLUSTER = replace(LOCAL, spark=Spark(runner="cluster", poll_seconds=1, cluster="etl"))
WHERE = {"project_id": LOCAL.project, "region": LOCAL.region}
WAIT = 60
EXECUTION = {
    "service_account": "spark-jobs@medallion-local.iam.gserviceaccount.com",
    "subnetwork_uri": "projects/medallion-local/regions/us-east1/subnetworks/medallion",
    "network_tags": ["spark"],
    "kms_key": "projects/medallion-local/locations/us-east1/keyRings/medallion-us-east1/cryptoKeys/dataproc",
    "staging_bucket": "local-dataproc",
    "ttl": {"seconds": 21600},
}


@pytest.fixture(autouse=True)
def dataproc(dataproc_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (grpc_helpers, grpc_helpers_async):  # so that the redirection ends with the test
        monkeypatch.setattr(module, "create_channel", module.create_channel)
    redirect_dataproc(dataproc_address)


@pytest.fixture(scope="module", autouse=True)
def release(buckets: Path) -> None:
    """A job that succeeds, one that fails and one that goes on, as scripts that start no Spark session."""
    folder = buckets / LOCAL.buckets["code"] / "release"
    folder.mkdir(parents=True)
    (folder / "pass.py").write_text("pass\n")
    (folder / "fail.py").write_text("raise SystemExit('no such column')\n")
    (folder / "hold.py").write_text("import time\ntime.sleep(600)\n")
    with zipfile.ZipFile(folder / "library.zip", "w") as library:
        library.writestr("empty.py", "")


def operator(environment: Environment, identity: str, entry: str) -> BatchOperator | JobOperator:
    job = spark_job(
        environment, identity=identity, release="release", entry=entry, arguments=[], labels={"step": "test"}
    )
    return spark_operator(environment)(task_id="work", **job)


def deferred_to(task: BatchOperator | JobOperator, context: dict[str, Any]) -> str:
    """The id of the batch or job that a task waits for."""
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    trigger = deferred.value.trigger
    return trigger.batch_id if isinstance(task, BatchOperator) else trigger.job_id


def until(is_so: Callable[[Any], bool], read: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT
    while not is_so(answer := read()):
        assert time.monotonic() < deadline, f"still {answer}"
        time.sleep(0.1)
    return answer


def batch_in(state: Batch.State, name: str) -> Batch:
    hook = DataprocHook()
    return until(lambda batch: batch.state == state, lambda: hook.get_batch(batch_id=name, **WHERE))


def cancel(name: str) -> None:
    batch = batch_in(Batch.State.RUNNING, name)
    DataprocHook().get_operations_client(LOCAL.region).cancel_operation(batch.operation)
    batch_in(Batch.State.CANCELLED, name)


def job_done(name: str) -> Any:
    hook = DataprocHook()
    return until(lambda job: job.done, lambda: hook.get_job(job_id=name, **WHERE))


def submissions(buckets: Path, name: str) -> int:
    lines = (buckets.parent / "dataproc" / "submissions.jsonl").read_text().splitlines()
    return sum(line["id"] == name and line["state"] == "PENDING" for line in map(json.loads, lines))


def test_a_batch_is_submitted_once_and_adopted_while_it_runs(context: dict[str, Any], buckets: Path) -> None:
    assert deferred_to(operator(LOCAL, "held", "hold.py"), context) == "held-1"
    assert deferred_to(operator(LOCAL, "held", "hold.py"), context) == "held-1"
    assert submissions(buckets, "held-1") == 1
    cancel("held-1")


def test_after_a_cancelled_batch_comes_the_next_attempt(context: dict[str, Any]) -> None:
    deferred_to(operator(LOCAL, "cancelled", "hold.py"), context)
    cancel("cancelled-1")
    assert deferred_to(operator(LOCAL, "cancelled", "pass.py"), context) == "cancelled-2"


def test_a_batch_that_succeeded_is_not_run_again(context: dict[str, Any], buckets: Path) -> None:
    deferred_to(operator(LOCAL, "passes", "pass.py"), context)
    batch_in(Batch.State.SUCCEEDED, "passes-1")
    assert deferred_to(operator(LOCAL, "passes", "pass.py"), context) == "passes-1"
    assert submissions(buckets, "passes-1") == 1


def test_after_a_failed_batch_comes_the_next_attempt(context: dict[str, Any], buckets: Path) -> None:
    deferred_to(operator(LOCAL, "fails", "fail.py"), context)
    batch_in(Batch.State.FAILED, "fails-1")
    assert deferred_to(operator(LOCAL, "fails", "pass.py"), context) == "fails-2"
    assert submissions(buckets, "fails-2") == 1
    batch_in(Batch.State.SUCCEEDED, "fails-2")


def test_a_job_that_succeeded_is_not_run_again(context: dict[str, Any], buckets: Path) -> None:
    assert deferred_to(operator(CLUSTER, "job-passes", "pass.py"), context) == "job-passes-1"
    job_done("job-passes-1")
    assert operator(CLUSTER, "job-passes", "pass.py").execute(context) == "job-passes-1"
    assert submissions(buckets, "job-passes-1") == 1


def test_training_that_succeeded_before_tells_its_version_all_the_same(
    context: dict[str, Any], buckets: Path, gcs_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    version = buckets / "trained" / "v1"
    version.mkdir(parents=True)
    (version / "training.json").write_text('{"version": "v1", "features": ["recency_days"]}')
    job = spark_job(CLUSTER, identity="trains", release="release", entry="pass.py", arguments=[], labels={})
    train = partial(MLModelTrainJobOperator, task_id="train", bucket="trained", folder="v1")
    job_done(deferred_to(train(**job), context))
    assert train(**job).execute(context) == {"version": "v1", "uri": "gs://trained/v1"}


def test_after_a_failed_job_comes_the_next_attempt(context: dict[str, Any]) -> None:
    deferred_to(operator(CLUSTER, "job-fails", "fail.py"), context)
    job_done("job-fails-1")
    assert deferred_to(operator(CLUSTER, "job-fails", "pass.py"), context) == "job-fails-2"
    job_done("job-fails-2")


def test_a_failed_batch_fails_its_task(context: dict[str, Any]) -> None:
    event = {"batch_id": "work-1", "batch_state": "FAILED", "batch_state_message": "no such column"}
    with pytest.raises(AirflowException, match="Batch job work-1 failed with error: no such column"):
        operator(LOCAL, "work", "fail.py").execute_complete(context, event)


def test_a_job_names_its_release_its_arguments_and_its_labels() -> None:
    job = spark_job(
        LOCAL, identity="work", release="r", entry="a/b.py", arguments=["--x"], labels={"step": "test"}
    )
    assert job["batch"] == {
        "pyspark_batch": {
            "main_python_file_uri": "gs://local-code/r/a/b.py",
            "python_file_uris": ["gs://local-code/r/library.zip"],
            "args": ["--x"],
        },
        "runtime_config": {"version": "2.3", "properties": {}},
        "labels": {"step": "test"},
        "environment_config": {"execution_config": EXECUTION},
    }
    assert (job["batch_id"], job["deferrable"], job["polling_interval_seconds"]) == ("work", True, 1)


def test_only_a_job_that_trains_runs_as_the_trainer() -> None:
    batch = spark_job(
        LOCAL, identity="work", release="r", entry="a.py", arguments=[], labels={}, trains=True
    )["batch"]
    trainer = "trainer@medallion-local.iam.gserviceaccount.com"
    assert batch["environment_config"]["execution_config"] == {**EXECUTION, "service_account": trainer}


def test_dataproc_takes_a_batchs_execution_as_it_is() -> None:
    job = spark_job(LOCAL, identity="work", release="r", entry="a.py", arguments=[], labels={})
    config = Batch(job["batch"]).environment_config.execution_config
    assert (config.service_account, config.subnetwork_uri) == (
        EXECUTION["service_account"],
        EXECUTION["subnetwork_uri"],
    )
    assert (config.kms_key, config.ttl.total_seconds()) == (EXECUTION["kms_key"], 21600)
