"""Runs of Spark applications: queued for a slot, started, watched, cancelled, and each step put on record."""

import contextlib
import datetime as dt
import enum
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.spark_submit import Application, Settings, environment

LOG_LINE = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (INFO|WARN) ")
TAIL_LINES = 25
TAIL_BYTES = 64 * 1024


class State(enum.StrEnum):
    """The states of a batch, by the service's own names."""

    PENDING = enum.auto()
    RUNNING = enum.auto()
    CANCELLING = enum.auto()
    SUCCEEDED = enum.auto()
    FAILED = enum.auto()
    CANCELLED = enum.auto()

    @property
    def final(self) -> bool:
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class NameTakenError(Exception):
    """A run of the same name is known, whatever became of it."""


@dataclass(frozen=True)
class Transition:
    state: State
    message: str
    time: dt.datetime


@dataclass
class Run:
    """One submission, by its full resource name; only its `RunTable` changes it."""

    name: str
    kind: str
    application: Application
    request: Any
    request_id: str
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    history: list[Transition] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    slot: Future[None] | None = None

    @property
    def collection(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def id(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def state(self) -> State:
        return self.history[-1].state


class RunTable:
    """All runs by name, and the slots that start them in the order of their submission."""

    def __init__(self, settings: Settings, record: Path) -> None:
        self._settings = settings
        self._record = record
        self._runs: dict[str, Run] = {}
        self._lock = threading.RLock()
        self._slots = ThreadPoolExecutor(settings.slots, thread_name_prefix="spark-slot")
        self._record.parent.mkdir(parents=True, exist_ok=True)
        (settings.root / settings.staging_bucket).mkdir(parents=True, exist_ok=True)

    def submit(self, run: Run) -> Run:
        """Returns the run, or the earlier one of the same request; raises NameTakenError."""
        with self._lock:
            for earlier in self._runs.values():
                asked = (earlier.collection, earlier.request_id)
                if run.request_id and asked == (run.collection, run.request_id):
                    return earlier
            if run.name in self._runs:
                raise NameTakenError(run.name)
            self._runs[run.name] = run
            self._enter(run, State.PENDING)
            run.slot = self._slots.submit(self._execute, run)
            return run

    def get(self, name: str) -> Run | None:
        return self._runs.get(name)

    def find(self, matches: Callable[[Run], bool]) -> Run | None:
        with self._lock:
            return next(filter(matches, self._runs.values()), None)

    def cancel(self, run: Run) -> None:
        with self._lock:
            if run.state.final or run.state is State.CANCELLING:
                return
            self._enter(run, State.CANCELLING)
            if run.process:
                _kill(run.process)
            elif run.slot and run.slot.cancel():
                self._enter(run, State.CANCELLED, "Cancelled before it started.")

    def close(self) -> None:
        """Cancels what is left; returns when no process of ours lives."""
        for run in list(self._runs.values()):
            self.cancel(run)
        self._slots.shutdown()

    def driver_output(self, run: Run) -> str:
        """The URI of the object that gathers the driver's output while it runs."""
        folder = f"gs://{self._settings.staging_bucket}/google-cloud-dataproc-metainfo/{run.id}"
        return f"{folder}/driveroutput.000000000"

    def _execute(self, run: Run) -> None:
        missing = run.application.missing(self._settings)
        if missing:
            return self._enter(run, State.FAILED, f"No such object: {', '.join(missing)}")
        output = Path(self._settings.local_path(self.driver_output(run)))
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._enter(run, *self._outcome(run, self.drive(run, output), output))
        except OSError as error:
            self._enter(run, State.FAILED, f"spark-submit could not be started: {error}")

    def drive(self, run: Run, output: Path) -> int | None:
        """The driver's exit code, or None if the run was cancelled before it could start."""
        with _work_folder() as folder, output.open("wb") as log:
            with self._lock:
                if run.state is State.CANCELLING:
                    return None
                run.process = subprocess.Popen(
                    run.application.command(self._settings, run.id),
                    cwd=folder,
                    env=environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._enter(run, State.RUNNING)
            return run.process.wait()

    def _outcome(self, run: Run, code: int | None, output: Path) -> tuple[State, str]:
        if code == 0:
            return State.SUCCEEDED, ""
        if run.state is State.CANCELLING:
            return State.CANCELLED, "Cancelled on request."
        cause = f"Driver exited with code {code}. Driver output: {self.driver_output(run)}"
        return State.FAILED, f"{cause}\n{_tail(output)}"

    def _enter(self, run: Run, state: State, message: str = "") -> None:
        now = dt.datetime.now(dt.UTC)
        step = {
            "time": now.isoformat(),
            "id": run.id,
            "kind": run.kind,
            "main": run.application.main,
            "args": len(run.application.args),
            "state": state.name,
        }
        with self._lock, self._record.open("a") as record:
            run.history.append(Transition(state, message, now))
            record.write(json.dumps(step) + "\n")


def _work_folder() -> tempfile.TemporaryDirectory[str]:
    # A driver's Python workers outlive it by a moment and may still write while the folder goes.
    return tempfile.TemporaryDirectory(prefix="spark-run-", ignore_cleanup_errors=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the driver with all its processes; what it had written is as after any crash."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _tail(output: Path) -> str:
    """The end of what the driver printed, without the lines of Spark's log that do not matter."""
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join([line for line in lines if not LOG_LINE.match(line)][-TAIL_LINES:])
