"""The stand-in for Dataproc, driven by Google's own clients; every job is a real `spark-submit`."""

import json
import signal
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import dataproc_v1 as dataproc
from google.cloud.dataproc_v1.services.batch_controller.transports import BatchControllerGrpcTransport
from google.cloud.dataproc_v1.services.job_controller.transports import JobControllerGrpcTransport

PARENT = "projects/shop/locations/europe-west1"
WAIT = 90


@dataclass(frozen=True)
class Dataproc:
    """One server on a root whose path has spaces, run by a Python whose path has some too."""

    root: Path
    server: Any
    batches: dataproc.BatchControllerClient
    jobs: dataproc.JobControllerClient

    def script(self, name: str, source: str) -> str:
        (self.root / "code" / name).write_text(textwrap.dedent(source))
        return f"gs://code/{name}"

    def create(self, batch_id: str, main: str, *args: str, request_id: str = "", **options: Any) -> Any:
        spark = dataproc.PySparkBatch(main_python_file_uri=main, args=args)
        request = dataproc.CreateBatchRequest(
            parent=PARENT,
            batch=dataproc.Batch(pyspark_batch=spark, **options),
            batch_id=batch_id,
            request_id=request_id,
        )
        return self.batches.create_batch(request)

    def batch(self, batch_id: str) -> dataproc.Batch:
        return self.batches.get_batch(name=f"{PARENT}/batches/{batch_id}")

    def batch_in(self, batch_id: str, *states: int) -> dataproc.Batch:
        return _poll(lambda: self.batch(batch_id), lambda batch: batch.state in states)

    def submit(self, job_id: str, main: str, request_id: str = "") -> dataproc.Job:
        job = dataproc.Job(
            reference={"job_id": job_id},
            placement={"cluster_name": "any"},
            pyspark_job={"main_python_file_uri": main},
        )
        return self.jobs.submit_job(
            request={"project_id": "shop", "region": "europe-west1", "job": job, "request_id": request_id}
        )

    def job_done(self, job_id: str) -> dataproc.Job:
        where = {"project_id": "shop", "region": "europe-west1", "job_id": job_id}
        return _poll(lambda: self.jobs.get_job(request=where), lambda job: job.done)

    def record(self, run_id: str) -> list[dict[str, Any]]:
        lines = (self.root.parent / "dataproc" / "submissions.jsonl").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["id"] == run_id]


def _poll(read: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + WAIT
    while not is_there(answer := read()):
        assert time.monotonic() < deadline, f"still {answer}"
        time.sleep(0.1)
    return answer


def _start(servers: Any, clone: Path, *options: str) -> Dataproc:
    (clone / "venv").symlink_to(sys.prefix)
    root = clone / "gcs"
    for bucket in ("code", "bronze", "lake"):
        (root / bucket).mkdir(parents=True)
    server = servers.start(
        "local.dataproc",
        *("--root", root, "--staging-bucket", "staging", "--driver-memory", "512m", *options),
        python=clone / "venv/bin/python",
    )
    channel = grpc.insecure_channel(server.address)
    return Dataproc(
        root,
        server,
        dataproc.BatchControllerClient(transport=BatchControllerGrpcTransport(channel=channel)),
        dataproc.JobControllerClient(transport=JobControllerGrpcTransport(channel=channel)),
    )


@pytest.fixture(scope="module")
def cloud(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Dataproc:
    return _start(servers, tmp_path_factory.mktemp("a clone with spaces"), "--slots", "1")


@pytest.fixture(scope="module")
def hold(cloud: Dataproc) -> str:
    """A script that runs until somebody ends it, and says its process id first."""
    return cloud.script("hold.py", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")


def _driver_pid(cloud: Dataproc, run_id: str) -> int:
    output = cloud.root / f"staging/google-cloud-dataproc-metainfo/{run_id}/driveroutput.000000000"
    lines = _poll(
        lambda: (
            [line for line in output.read_text().splitlines() if line.isdigit()] if output.exists() else []
        ),
        bool,
    )
    return int(lines[0])


def _is_gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_spark_reads_and_writes_buckets_below_a_path_with_spaces(cloud: Dataproc) -> None:
    (cloud.root / "bronze/land ing").mkdir()
    (cloud.root / "bronze/land ing/2017 ü.csv").write_text("id,amount\n1,2.50\n2,4.00\n")
    with zipfile.ZipFile(cloud.root / "code/lib.zip", "w") as library:
        library.writestr("answers.py", "FACTOR = 2\n")
    main = cloud.script(
        "double.py",
        """
        import sys
        from answers import FACTOR
        from pyspark.sql import SparkSession

        spark = SparkSession.builder.getOrCreate()
        rows = spark.read.csv("gs://bronze/land ing/", header=True, schema="id INT, amount DECIMAL(9, 2)")
        rows.selectExpr("id", f"amount * {FACTOR} AS amount").coalesce(1).write.csv(sys.argv[1])
        try:
            spark.read.text("gs://typo/etc/hostname")
        except Exception as error:
            print(str(error).splitlines()[0])
        print(spark.conf.get("spark.sql.shuffle.partitions"), spark.sparkContext.master)
        """,
    )
    spark = dataproc.PySparkBatch(
        main_python_file_uri=main, python_file_uris=["gs://code/lib.zip"], args=["gs://lake/out put"]
    )
    properties = {
        "spark.sql.shuffle.partitions": "7",
        "spark.executor.instances": "50",
        "spark.master": "yarn",
    }
    operation = cloud.batches.create_batch(
        parent=PARENT,
        batch=dataproc.Batch(pyspark_batch=spark, runtime_config={"properties": properties}),
        batch_id="double-amounts",
    )

    assert operation.result(timeout=WAIT).state == dataproc.Batch.State.SUCCEEDED
    written = sorted(path.name[:10] for path in (cloud.root / "lake/out put").iterdir())
    assert written == ["_SUCCESS", "part-00000"]
    assert next((cloud.root / "lake/out put").glob("part-*")).read_text() == "1,5.00\n2,8.00\n"
    output = cloud.batch("double-amounts").runtime_info.output_uri.replace("gs://", f"{cloud.root}/")
    printed = Path(f"{output}.000000000").read_text()
    assert "Could not initialize target File System for URI : gs://typo/" in printed
    assert "7 local[2]" in printed


def test_a_failed_batch_says_why(cloud: Dataproc) -> None:
    main = cloud.script("fail.py", "raise ValueError('column agent_id is missing')\n")
    operation = cloud.create("fails", main)
    with pytest.raises(exceptions.Aborted, match="Driver exited with code 1"):
        operation.result(timeout=WAIT)
    batch = cloud.batch("fails")
    output = "gs://staging/google-cloud-dataproc-metainfo/fails/driveroutput.000000000"
    assert batch.state == dataproc.Batch.State.FAILED
    assert batch.state_message.startswith(f"Driver exited with code 1. Driver output: {output}\n")
    assert "ValueError: column agent_id is missing" in batch.state_message
    assert " INFO " not in batch.state_message


def test_a_batch_waits_for_a_slot_and_is_on_record_once(cloud: Dataproc, hold: str) -> None:
    cloud.create("holds-the-slot", hold)
    cloud.batch_in("holds-the-slot", dataproc.Batch.State.RUNNING)
    waiting = cloud.create("waits", cloud.script("pass.py", "pass\n"), "first", "second")
    assert cloud.batch("waits").state == dataproc.Batch.State.PENDING
    cancelled = cloud.batch("holds-the-slot").operation
    cloud.batches.transport.operations_client.cancel_operation(cancelled)
    assert waiting.result(timeout=WAIT).state == dataproc.Batch.State.SUCCEEDED
    assert [line["state"] for line in cloud.record("waits")] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert {(line["kind"], line["args"]) for line in cloud.record("waits")} == {("pyspark_batch", 2)}


def test_a_cancelled_batch_takes_its_processes_with_it(cloud: Dataproc, hold: str) -> None:
    operation = cloud.create("is-cancelled", hold)
    pid = _driver_pid(cloud, "is-cancelled")
    operation.cancel()
    with pytest.raises(exceptions.Cancelled, match="Cancelled on request"):
        operation.result(timeout=WAIT)
    assert cloud.batch("is-cancelled").state == dataproc.Batch.State.CANCELLED
    assert _poll(lambda: _is_gone(pid), bool)


def test_a_cancelled_batch_that_waits_never_starts(cloud: Dataproc, hold: str) -> None:
    cloud.create("is-in-front", hold)
    operation = cloud.create("never-starts", hold)
    operation.cancel()
    assert [line["state"] for line in cloud.record("never-starts")] == ["PENDING", "CANCELLING", "CANCELLED"]
    cloud.batches.transport.operations_client.cancel_operation(cloud.batch("is-in-front").operation)
    cloud.batch_in("is-in-front", dataproc.Batch.State.CANCELLED)


def test_a_batch_without_its_main_file_fails_and_names_it(cloud: Dataproc) -> None:
    operation = cloud.create("has-no-file", "gs://code/none.py")
    with pytest.raises(exceptions.Aborted, match=r"No such object: gs://code/none\.py"):
        operation.result(timeout=WAIT)


def test_a_batch_id_can_be_used_once(cloud: Dataproc) -> None:
    cloud.create("only-once", "gs://code/none.py")
    with pytest.raises(exceptions.AlreadyExists, match=f"Already exists: {PARENT}/batches/only-once"):
        cloud.create("only-once", "gs://code/none.py")


def test_the_same_request_is_the_same_batch(cloud: Dataproc) -> None:
    first = cloud.create("asked-twice", "gs://code/none.py", request_id="request-1")
    second = cloud.create("asked-twice", "gs://code/none.py", request_id="request-1")
    assert second.operation.name == first.operation.name
    cloud.batch_in("asked-twice", dataproc.Batch.State.FAILED)
    assert [line["state"] for line in cloud.record("asked-twice")] == ["PENDING", "FAILED"]


@pytest.mark.parametrize("batch_id", ["abc", "Upper-case", "under_score", "ends-with-", "x" * 64])
def test_a_batch_id_that_the_service_would_refuse_is_refused(cloud: Dataproc, batch_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="Invalid batch id"):
        cloud.create(batch_id, "gs://code/none.py")


def test_a_label_that_the_service_would_refuse_is_refused(cloud: Dataproc) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=r"Invalid value of label run: .*Scheduled"):
        cloud.create("has-a-label", "gs://code/none.py", labels={"run": "Scheduled"})


def test_an_unknown_batch_is_not_found(cloud: Dataproc) -> None:
    with pytest.raises(exceptions.NotFound, match=r"Not found: .*/batches/unknown"):
        cloud.batch("unknown")


def test_a_job_runs_to_done(cloud: Dataproc) -> None:
    cloud.submit("a_job", cloud.script("hello.py", "print('hello')\n"))
    job = cloud.job_done("a_job")
    assert job.status.state == dataproc.JobStatus.State.DONE
    assert [status.state.name for status in job.status_history] == ["PENDING", "RUNNING"]
    output = cloud.root / f"{job.driver_output_resource_uri.removeprefix('gs://')}.000000000"
    assert "hello" in output.read_text().splitlines()


def test_a_failed_job_says_why(cloud: Dataproc) -> None:
    cloud.submit("bad_job", "gs://code/none.py")
    job = cloud.job_done("bad_job")
    assert job.status.state == dataproc.JobStatus.State.ERROR
    assert job.status.details == "No such object: gs://code/none.py"


def test_a_job_id_can_be_used_once_but_for_the_same_request(cloud: Dataproc) -> None:
    first = cloud.submit("one_job", "gs://code/none.py", request_id="request-2")
    assert cloud.submit("one_job", "gs://code/none.py", request_id="request-2").job_uuid == first.job_uuid
    with pytest.raises(exceptions.AlreadyExists, match=r"Already exists: .*/jobs/one_job"):
        cloud.submit("one_job", "gs://code/none.py", request_id="request-3")


def test_a_stopped_server_leaves_no_process(servers: Any, tmp_path: Path) -> None:
    cloud = _start(servers, tmp_path)
    cloud.create(
        "is-left", cloud.script("hold.py", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)")
    )
    pid = _driver_pid(cloud, "is-left")
    cloud.server.process.send_signal(signal.SIGTERM)
    assert cloud.server.process.wait(timeout=WAIT) == 0
    assert _poll(lambda: _is_gone(pid), bool)
    assert cloud.record("is-left")[-1]["state"] == "CANCELLED"
