"""The laptop's Dataproc in the certificate: calls that fail, drivers that die, and outputs that are known."""

import contextlib
import hashlib
import os
import select
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from local.dataproc import create_server
from local.spark_runs import Run, RunTable
from local.spark_submit import Settings
from medallion.manifest import Manifest
from tests.dags.certificate.faults import EXECUTING, Fault, Plan

WRITES = "rows/_temporary/0/_temporary/*/part-*"
TICK = 0.001
TRIES = 5
LOST = b"Lost task"  # what a driver says of a task that has failed


class EndedError(Exception):
    """A driver has ended before its fault."""


class Calls(grpc.ServerInterceptor):
    """`kill before` and `kill after` kill the worker that calls, before its call is answered and when it is
    done; `lose reply` does what was asked and says that the service is not to be reached; `refuse` says only
    that.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        fault = self._plan.take("dataproc", details.method.rpartition("/")[2])
        if fault is None or handler is None:
            return handler

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            if fault.action in ("kill after", "lose reply"):
                handler.unary_unary(request, context)
            if fault.action.startswith("kill"):
                self._plan.kill()
            context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )


class Drivers(RunTable):
    """Real spark-submits. What one that no fault has hit makes of a manifest is kept: while they `remember`,
    the same manifest gets the same bytes again without another, where no fault is Spark's and none has left
    anything.

    `kill at write` kills the driver while it writes rows; `kill at <file>` when it comes to write that file;
    `lose output` takes what a task has written away from under it, `times` over; `repeat rows` writes rows
    once more when it is done, which no driver does.
    """

    def __init__(self, settings: Settings, record: Path, plan: Plan, known: Path) -> None:
        super().__init__(settings, record)
        self._root = settings.root
        self._plan = plan
        self._known = known
        self.remember = True
        self.driven = 0
        self.wrong: list[str] = []

    def drive(self, run: Run, output: Path) -> int | None:
        text = self._path(run.application.args[-1]).read_bytes()
        folder = self._path(Manifest.from_json(text).output)
        kept = self._known / hashlib.sha256(text).hexdigest()
        fault = self._plan.take("spark", "drive", EXECUTING)
        untouched = not (folder / "rows").exists()
        if fault is None and self.remember and kept.exists() and untouched:
            shutil.copytree(kept, folder, dirs_exist_ok=True)
            return 0
        self.driven += 1
        try:
            code = self._drive(run, output, fault, folder)
        except Exception as failure:  # nobody hears of it: the run would go on for ever
            self.wrong.append(f"{fault}: {failure!r}")
            return 1
        if code == 0 and fault is None and self.remember and not kept.exists():
            shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("manifest.json"))
        return code

    def _drive(self, run: Run, output: Path, fault: Fault | None, folder: Path) -> int | None:
        if fault is None:
            return super().drive(run, output)
        if fault.action == "repeat rows":
            code = super().drive(run, output)
            (part, *_) = (folder / "rows").glob("part-*")
            shutil.copy(part, part.with_stem(f"{part.stem}-again"))
            return code
        for _ in range(TRIES):
            with _mishap(run, fault, folder):
                code = super().drive(run, output)
            hit = code != 0 or (fault.told.get("times") == 1 and LOST in output.read_bytes())
            if hit:
                return code
            # Undone, as if the driver that was too fast for its fault had not been.
            shutil.rmtree(folder / "rows")
            for file in ("files.jsonl", "metrics.json"):
                (folder / file).unlink(missing_ok=True)
        self.wrong.append(f"did not happen: {fault}")
        return 1

    def _path(self, uri: str) -> Path:
        return self._root / uri.removeprefix("gs://")


@contextlib.contextmanager
def _mishap(run: Run, fault: Fault, folder: Path) -> Iterator[None]:
    """Lets a fault happen to a driver meanwhile, unless the driver is faster."""
    ended = threading.Event()

    def watch() -> None:
        with contextlib.suppress(EndedError, ProcessLookupError):
            _strike(run, fault, folder, ended)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _strike(run: Run, fault: Fault, folder: Path, ended: threading.Event) -> None:
    match fault.action.removeprefix("kill at "):
        case "write":
            _until(lambda: list(folder.glob(WRITES)), ended)
            _kill(run)
        case "lose output":
            struck: set[Path] = set()
            writes = WRITES
            while len(struck) < fault.told["times"]:
                (attempt, *_) = _until(partial(_others, folder, writes, struck), ended)
                shutil.rmtree(attempt, ignore_errors=True)
                struck.add(attempt)
                # Of one task: of another one, a second loss would be the first, which Spark makes up for.
                writes = WRITES.replace("/*/", f"/{attempt.name.rpartition('_')[0]}_*/")
        case name:
            _kill_when_written(run, folder / name, ended)


def _others(folder: Path, writes: str, struck: set[Path]) -> set[Path]:
    return {file.parent for file in folder.glob(writes)} - struck


def _kill_when_written(run: Run, file: Path, ended: threading.Event) -> None:
    """Kills a driver that is about to write a file: a pipe in its place makes it wait for a reader."""
    os.mkfifo(file)
    pipe = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    try:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        _until(lambda: poll.poll(0), ended)
        _kill(run)
    finally:
        os.close(pipe)
        file.unlink()


def _until(seen: Callable[[], Any], ended: threading.Event) -> Any:
    while not (found := seen()):
        if ended.is_set():
            raise EndedError
        time.sleep(TICK)
    return found


def _kill(run: Run) -> None:
    assert run.process is not None
    os.killpg(run.process.pid, signal.SIGKILL)


def serve(drivers: Drivers, plan: Plan) -> tuple[grpc.Server, str]:
    """A server that has started, and its address."""
    server = create_server(drivers, [Calls(plan)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"
