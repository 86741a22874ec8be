"""Airflow, as far as one product's DAG goes: tasks in order, each tried again as often as the DAG says."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pipeline.work import DISCOVER, RETRIES
from tests.dags.certificate.faults import EXECUTING, WAITING, Plan

STEPS = ("clean", "stage.unchanged", "stage.tables", "stage.rows", "stage.files", "audit", "publish")
SUCCESS, SKIPPED, FAILED, KILLED = "success", "skipped", "failed", "killed"


class Worker:
    """The process of tests/dags/certificate/worker.py, which a plan may kill a child of."""

    def __init__(self, code: Path, environment: dict[str, str], log: Path) -> None:
        self.plan = Plan()
        self._result = log.with_suffix(".result")
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.dags.certificate.worker"],
            cwd=code,  # Python finds modules there first
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )

    def run(self, task: str, phase: str, request: dict[str, Any]) -> dict[str, Any]:
        """The result of one process: of a task's code, or of its trigger's."""
        self.plan.at_work(task, phase)
        self._pipe(self._process.stdin).write(json.dumps({**request, "result": str(self._result)}) + "\n")
        self._pipe(self._process.stdin).flush()
        self.plan.begun(self._line()["pid"])
        return self._line()

    def stop(self) -> None:
        """Ends the process, with the child that a failed test may have left at work."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._pipe(self._process.stdin).close()
        self._pipe(self._process.stdout).close()
        self._log.close()

    def _line(self) -> dict[str, Any]:
        line = self._pipe(self._process.stdout).readline()
        assert line, f"the worker has ended; see {self._log.name}"
        return json.loads(line)

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@dataclass
class DagRun:
    """What became of a run's tasks, and how often each was tried."""

    name: str
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    states: dict[str, str] = field(default_factory=dict)
    tries: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Of the run as a whole."""
        states = set(self.states.values())
        return FAILED if FAILED in states else SUCCESS if SUCCESS in states else SKIPPED


class Scheduler:
    """Runs a product's DAG, task by task. `before` is called with a task's id before each try of it."""

    def __init__(self, worker: Worker, product: str, gold: tuple[str, ...], request: dict[str, Any]) -> None:
        self._worker = worker
        self._gold = tuple(f"gold.{table}" for table in gold)
        self._request = {**request, "product": product}

    def dag_run(self, name: str, before: Any = lambda task: None) -> DagRun:
        """A run of the DAG, to its end."""
        run, returned = DagRun(name), dict[str, Any]()
        for task in (DISCOVER, *STEPS, *self._gold):
            run.states[task] = self._state(run, task, returned, before)
            if run.states[task] == FAILED:
                break
        return run

    def _state(self, run: DagRun, task: str, returned: dict[str, Any], before: Any) -> str:
        # Gold is built where something was published, or is owed; the other steps need the one before.
        needed = DISCOVER if task in self._gold else next(reversed(run.states), None)
        if needed and run.states[needed] == SKIPPED:
            return SKIPPED
        for _ in range(1 + RETRIES["retries"]):
            before(task)
            run.tries[task] += 1
            result = self._try(run, task, returned)
            if result["state"] in (SUCCESS, SKIPPED):
                returned[task] = result.get("returned")
                return result["state"]
            run.errors.append(f"{task}: {result.get('error', result['state'])}")
            if result["state"] not in (FAILED, KILLED):
                break
        return FAILED

    def _try(self, run: DagRun, task: str, returned: dict[str, Any]) -> dict[str, Any]:
        """One try: the task's code, and where it is deferred its trigger, and its code again."""
        told = {"run": run.name, "began": run.began, "task": task, "returned": returned}
        request = {**self._request, **told, "pushed": {}}
        result = self._worker.run(task, EXECUTING, request)
        while result["state"] == "deferred":
            request["pushed"] = result["pushed"]
            waited = {"state": KILLED}
            while (
                waited["state"] == KILLED
            ):  # a triggerer that ended is started again, with the same triggers
                waited = self._worker.run(task, WAITING, {**request, "trigger": result["trigger"]})
            if waited["state"] != "event":
                return waited
            resumed = {**request, "event": waited["event"], "method": result["method"]}
            result = self._worker.run(task, EXECUTING, resumed)
        return result
