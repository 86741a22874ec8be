"""Dataproc's gRPC API on one machine: `python -m local.dataproc --root DIR --port N --staging-bucket B`."""

import argparse
import signal
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_type_hints

import grpc
from google.cloud import dataproc_v1 as dataproc
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from local import dataproc_messages as messages
from local.dataproc_messages import RefusedError
from local.spark_runs import NameTakenError, Run, RunTable
from local.spark_submit import Settings


class Jobs:
    """google.cloud.dataproc.v1.JobController"""

    def __init__(self, runs: RunTable) -> None:
        self._runs = runs

    def submit(self, request: dataproc.SubmitJobRequest) -> dataproc.Job:
        job = request.job
        job.reference.project_id = request.project_id
        job.reference.job_id = job.reference.job_id or str(uuid.uuid4())
        messages.require(messages.JOB_ID, job.reference.job_id, "job id")
        messages.require_labels(job.labels)
        if not job.placement.cluster_name:
            raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "Cluster name is required")
        kind, application = messages.application_of_job(job)
        name = _job_name(request, job.reference.job_id)
        return self._message(_submit(self._runs, Run(name, kind, application, job, request.request_id)))

    def get(self, request: dataproc.GetJobRequest) -> dataproc.Job:
        return self._message(_existing(self._runs, _job_name(request, request.job_id)))

    def cancel(self, request: dataproc.CancelJobRequest) -> dataproc.Job:
        run = _existing(self._runs, _job_name(request, request.job_id))
        self._runs.cancel(run)
        return self._message(run)

    def _message(self, run: Run) -> dataproc.Job:
        return messages.job_message(run, self._runs.driver_output(run))


class Batches:
    """google.cloud.dataproc.v1.BatchController"""

    def __init__(self, runs: RunTable) -> None:
        self._runs = runs

    def create(self, request: dataproc.CreateBatchRequest) -> operations_pb2.Operation:
        batch_id = request.batch_id or str(uuid.uuid4())
        messages.require(messages.BATCH_ID, batch_id, "batch id")
        messages.require_labels(request.batch.labels)
        kind, application = messages.application_of_batch(request.batch)
        name = f"{_located(request.parent)}/batches/{batch_id}"
        run = _submit(self._runs, Run(name, kind, application, request.batch, request.request_id))
        return messages.operation_message(run, self._runs.driver_output(run))

    def get(self, request: dataproc.GetBatchRequest) -> dataproc.Batch:
        return self._message(_existing(self._runs, _located(request.name)))

    def _message(self, run: Run) -> dataproc.Batch:
        return messages.batch_message(run, self._runs.driver_output(run))


class Operations:
    """google.longrunning.Operations, as far as waiting for a batch and cancelling it go"""

    def __init__(self, runs: RunTable) -> None:
        self._runs = runs

    def get(self, request: operations_pb2.GetOperationRequest) -> operations_pb2.Operation:
        run = self._run(request.name)
        return messages.operation_message(run, self._runs.driver_output(run))

    def cancel(self, request: operations_pb2.CancelOperationRequest) -> empty_pb2.Empty:
        self._runs.cancel(self._run(request.name))
        return empty_pb2.Empty()

    def _run(self, name: str) -> Run:
        run = self._runs.find(lambda run: messages.operation_name(run) == name)
        if run is None:
            raise RefusedError(grpc.StatusCode.NOT_FOUND, f"Not found: Operation {name}")
        return run


def _located(name: str) -> str:
    """Google's own clients write a batch's region as regions/ here and as locations/ there."""
    return name.replace("/regions/", "/locations/")


def _job_name(request: Any, job_id: str) -> str:
    return f"projects/{request.project_id}/regions/{request.region}/jobs/{job_id}"


def _submit(runs: RunTable, run: Run) -> Run:
    messages.require(messages.REQUEST_ID, run.request_id, "request id")
    if not run.application.main:
        raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, f"{run.kind}: its main file is required")
    try:
        return runs.submit(run)
    except NameTakenError:
        raise RefusedError(grpc.StatusCode.ALREADY_EXISTS, f"Already exists: {run.name}") from None


def _existing(runs: RunTable, name: str) -> Run:
    run = runs.get(name)
    if run is None:
        raise RefusedError(grpc.StatusCode.NOT_FOUND, f"Not found: {name}")
    return run


def create_server(runs: RunTable, interceptors: Sequence[grpc.ServerInterceptor] = ()) -> grpc.Server:
    """The three services; the port is still to be added."""
    jobs, batches, operations = Jobs(runs), Batches(runs), Operations(runs)
    # Without the option a second server could bind the same port and take half of the calls.
    options = [("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(8), interceptors=interceptors, options=options)
    server.add_generic_rpc_handlers(
        [
            _service(
                "google.cloud.dataproc.v1.JobController",
                {"SubmitJob": jobs.submit, "GetJob": jobs.get, "CancelJob": jobs.cancel},
            ),
            _service(
                "google.cloud.dataproc.v1.BatchController",
                {"CreateBatch": batches.create, "GetBatch": batches.get},
            ),
            _service(
                "google.longrunning.Operations",
                {"GetOperation": operations.get, "CancelOperation": operations.cancel},
            ),
        ]
    )
    return server


def _service(name: str, methods: Mapping[str, Callable[[Any], Any]]) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(name, {key: _handler(fn) for key, fn in methods.items()})


def _handler(method: Callable[[Any], Any]) -> grpc.RpcMethodHandler:
    """One method of a service; how its messages are read and written follows from its annotations."""
    types = get_type_hints(method)
    request, response = types["request"], types["return"]

    def answer(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(message)
        except RefusedError as refusal:
            context.abort(refusal.code, str(refusal))

    # Dataproc's own messages are proto-plus, the operations plain protobuf.
    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=getattr(request, "deserialize", None) or request.FromString,
        response_serializer=getattr(response, "serialize", None) or response.SerializeToString,
    )


def main() -> None:
    arguments = _arguments()
    root = arguments.root.absolute()
    settings = Settings(
        root, arguments.staging_bucket, arguments.driver_memory, arguments.slots, dict(arguments.conf)
    )
    runs = RunTable(settings, root.parent / "dataproc" / "submissions.jsonl")
    server = create_server(runs)
    server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server.start()
    stopped.wait()
    server.stop(grace=None).wait()
    runs.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.dataproc", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the buckets")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--staging-bucket", required=True, help="bucket of the drivers' output")
    parser.add_argument("--driver-memory", default="2g", help="heap of one Spark process")
    parser.add_argument("--slots", type=int, default=2, help="Spark processes at once; the rest wait")
    parser.add_argument(
        "--conf", type=_property, action="append", default=[], help="Spark property of every job: KEY=VALUE"
    )
    return parser.parse_args()


def _property(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, got {text!r}")
    return key, value


if __name__ == "__main__":
    main()
