"""What Dataproc's API says: requests checked as the service would, runs shown as its jobs and batches."""

import re
from collections.abc import Mapping

import grpc
from google.cloud import dataproc_v1 as dataproc
from google.longrunning import operations_pb2
from google.rpc import code_pb2, status_pb2

from local.spark_runs import Run, State, Transition
from local.spark_submit import Application

BATCH_ID = re.compile(r"[a-z0-9][a-z0-9\-]{2,61}[a-z0-9]")
JOB_ID = re.compile(r"[a-zA-Z0-9_\-]{1,100}")
REQUEST_ID = re.compile(r"[a-zA-Z0-9_\-]{0,40}")
LABEL_KEY = re.compile(r"[a-z][a-z0-9_\-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_\-]{0,63}")
MAX_LABELS = 32

JobState = dataproc.JobStatus.State
JOB_STATES = {
    State.PENDING: JobState.PENDING,
    State.RUNNING: JobState.RUNNING,
    State.CANCELLING: JobState.CANCEL_PENDING,
    State.SUCCEEDED: JobState.DONE,
    State.FAILED: JobState.ERROR,
    State.CANCELLED: JobState.CANCELLED,
}
FINAL_JOB_STATES = {JOB_STATES[state] for state in State if state.final}


class RefusedError(Exception):
    """A call that is answered with a status instead of a message."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def require(pattern: re.Pattern[str], value: str, what: str) -> None:
    if not pattern.fullmatch(value):
        expected = f"expected {pattern.pattern}, got {value!r}"
        raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid {what}: {expected}")


def require_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > MAX_LABELS:
        raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, f"{len(labels)} labels, at most {MAX_LABELS}")
    for key, value in labels.items():
        require(LABEL_KEY, key, "label key")
        require(LABEL_VALUE, value, f"value of label {key}")


def application_of_job(job: dataproc.Job) -> tuple[str, Application]:
    """Returns the kind of the job, such as `pyspark_job`, and what it runs."""
    match dataproc.Job.pb(job).WhichOneof("type_job"):
        case "pyspark_job" | "spark_job" as kind:
            config = getattr(job, kind)
            return kind, Application.of(config, config.properties)
        case kind:
            raise _not_run_here(kind)


def application_of_batch(batch: dataproc.Batch) -> tuple[str, Application]:
    """Returns the kind of the batch, such as `pyspark_batch`, and what it runs."""
    match dataproc.Batch.pb(batch).WhichOneof("batch_config"):
        case "pyspark_batch" | "spark_batch" as kind:
            return kind, Application.of(getattr(batch, kind), batch.runtime_config.properties)
        case kind:
            raise _not_run_here(kind)


def _not_run_here(kind: str | None) -> RefusedError:
    if kind is None:
        return RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "The request does not say what to run")
    return RefusedError(grpc.StatusCode.UNIMPLEMENTED, f"{kind}: only PySpark and Spark run here")


def job_message(run: Run, driver_output: str) -> dataproc.Job:
    job = dataproc.Job(run.request)
    job.job_uuid = run.uuid
    *job.status_history, job.status = [_job_status(step) for step in run.history]
    job.done = job.status.state in FINAL_JOB_STATES
    job.driver_output_resource_uri = driver_output.rpartition(".")[0]
    return job


def _job_status(step: Transition) -> dataproc.JobStatus:
    return dataproc.JobStatus(state=JOB_STATES[step.state], details=step.message, state_start_time=step.time)


def batch_message(run: Run, driver_output: str) -> dataproc.Batch:
    batch = dataproc.Batch(run.request)
    batch.name, batch.uuid, batch.operation = run.name, run.uuid, operation_name(run)
    *batch.state_history, last = [_batch_status(step) for step in run.history]
    batch.state, batch.state_message = last.state, last.state_message
    batch.state_time = last.state_start_time
    batch.create_time = _batch_status(run.history[0]).state_start_time
    batch.runtime_info.output_uri = driver_output.rpartition(".")[0]
    return batch


def _batch_status(step: Transition) -> dataproc.Batch.StateHistory:
    return dataproc.Batch.StateHistory(
        state=step.state.name, state_message=step.message, state_start_time=step.time
    )


def operation_name(run: Run) -> str:
    region = run.collection.removesuffix("/batches").replace("/locations/", "/regions/")
    return f"{region}/operations/{run.uuid}"


def operation_message(run: Run, driver_output: str) -> operations_pb2.Operation:
    """The long-running operation of a batch, which ends as the batch ends."""
    last = run.history[-1]
    operation = operations_pb2.Operation(name=operation_name(run), done=last.state.final)
    operation.metadata.Pack(
        dataproc.BatchOperationMetadata.pb(
            dataproc.BatchOperationMetadata(batch=run.name, batch_uuid=run.uuid)
        )
    )
    if last.state is State.SUCCEEDED:
        operation.response.Pack(dataproc.Batch.pb(batch_message(run, driver_output)))
    elif last.state.final:
        code = code_pb2.CANCELLED if last.state is State.CANCELLED else code_pb2.ABORTED
        operation.error.CopyFrom(status_pb2.Status(code=code, message=last.message))
    return operation
