"""Starts DAG runs, follows them to their end, and tells a person on the way."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from google.api_core.exceptions import GoogleAPIError

from local.airflow import AirflowApi
from local.cloud import Cloud, local_cloud, running_cloud
from local.paths import AIRFLOW, BIGQUERY, LOGS, STATE
from local.services import ServiceError, ended
from medallion.errors import MedallionError
from medallion.products import Product

ENDED = ("success", "failed")
ENDED_TASKS = ("success", "failed", "skipped", "upstream_failed", "removed")


class RunFailedError(MedallionError):
    """A DAG run ended in failure."""


def run_command(action: Callable[[], object]) -> int:
    """Runs what a command does; returns its exit code, and tells a person why it is not 0."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _leave)
    try:
        action()
    except MedallionError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (GoogleAPIError, OSError) as error:  # a full disk, or a service that doesn't answer
        print(f"\n{type(error).__name__}: {error}. Next: read the logs in {LOGS}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        told = str(interrupt) or "everything that was started is stopped."
        print(f"\nInterrupted; {told}", file=sys.stderr)
        return 130
    return 0


@contextmanager
def going_on(told: str) -> Iterator[None]:
    """Lets run_command say of an interrupt what goes on without the command."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(told) from None


def follow(api: AirflowApi, dag: str, run_id: str) -> list[dict[str, Any]]:
    """Waits for the end of a run, and says when each task ends; raises with the cause when the run failed,
    and ServiceError when a service of the cloud has ended, without which the run would have no end.

    Returns step, state and seconds of each task, in the order of their start.
    """
    say(f"Running {dag}")
    told: set[str] = set()
    while True:
        _expect_services()
        state = api.run(dag, run_id)["state"]
        tasks = api.tasks(dag, run_id)
        for task in tasks:
            if task["state"] in ENDED_TASKS and task["task_id"] not in told:
                told.add(task["task_id"])
                say(f"  {task['task_id']:<32} {task['state']:<16} {_seconds(task):6.1f} s")
        if state in ENDED:
            break
        time.sleep(1)
    if state == "failed":
        causes = [
            f"  {task['task_id']}: {api.cause(dag, run_id, task['task_id'], task['try_number'])}"
            for task in tasks
            if task["state"] == "failed"
        ]
        raise RunFailedError("\n".join([f"The run of {dag} failed:", *causes, f"Logs: {AIRFLOW / 'logs'}"]))
    tasks.sort(key=lambda task: task["start_date"] or task["end_date"] or "")
    return [{"step": task["task_id"], "state": task["state"], "seconds": _seconds(task)} for task in tasks]


def follow_training(api: AirflowApi, product: Product) -> list[dict[str, Any]]:
    """Follows the training that a product's run has triggered; empty where there is none."""
    runs = api.runs(product.train) if product.train else []
    return follow(api, product.train or "", runs[0]["dag_run_id"]) if runs else []


def run_on_kept_data(
    product: Product,
    conf: Callable[[Cloud], dict[str, Any]],
    tell: Callable[[Cloud, AirflowApi, str], None],
) -> None:
    """Runs a product's DAG by the parameters that `conf` makes, on the data that is there, in the cloud that
    is up or in one of its own, and lets `tell` say what came of the run.

    Raises MedallionError when there is no data yet, and when the run fails.
    """

    def run(cloud: Cloud, stays: bool) -> AirflowApi:
        api = AirflowApi(cloud.ports["airflow"])
        api.wait_for_dag(product.name)
        run_id = api.trigger(product.name, conf(cloud))
        with going_on(f"the run goes on: {cloud.page(product.name, run_id)}" if stays else ""):
            follow(api, product.name, run_id)
        tell(cloud, api, run_id)
        return api

    cloud = running_cloud()
    if cloud is not None:
        run(cloud, stays=True)
        return
    if not BIGQUERY.exists():
        raise MedallionError("There is no local warehouse yet. Next: make run.")
    say("Starting the local cloud: storage, BigQuery, Dataproc, Airflow")
    with local_cloud(keep=True) as started:
        follow_training(run(started, stays=False), product)


def say(text: str) -> None:
    """Tells a person what is going on."""
    print(text, flush=True)


def _expect_services() -> None:
    gone = ended(STATE)
    if gone:
        logs = ", ".join(str(LOGS / f"{name}.log") for name in gone)
        expected = f"{', '.join(gone)}: expected to run until stopped"
        raise ServiceError(f"{expected}, got an end. Next: read {logs}.")


def _leave(number: int, _: object) -> None:
    """Ends the command, so that services are stopped on the way out."""
    sys.exit(128 + number)


def _seconds(task: dict[str, Any]) -> float:
    # The duration that Airflow stores is wrong on SQLite.
    if not task["start_date"] or not task["end_date"]:
        return 0.0
    start, end = (datetime.fromisoformat(task[key]) for key in ("start_date", "end_date"))
    return round((end - start).total_seconds(), 1)
