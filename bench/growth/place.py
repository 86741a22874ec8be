"""A local cloud of the benchmark's own, as `make up` starts it, in which the sample's product runs."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from bench.growth.failures import reason
from local.airflow import AirflowApi
from local.cloud import Cloud, start, start_over
from local.following import follow
from local.paths import STATE
from local.sample import PRODUCT
from medallion.errors import MedallionError
from medallion.products import load_product
from medallion.sql import literal

STEPS = ("discover", "clean", "stage", "audit", "publish", "gold")


@dataclass(frozen=True)
class Run:
    """What a run of the DAG took: seconds of each step, from the end of the one before.

    Its name is empty where it found no new file.
    """

    name: str
    steps: dict[str, float]

    @property
    def seconds(self) -> float:
        """From the start of discover to the last gold table."""
        return sum(self.steps.values())


class StoppedError(MedallionError):
    """A run has not come to its end: the step that it was at, where that is known."""

    def __init__(self, error: Exception, step: str | None) -> None:
        super().__init__(f"at {step or 'a step that is not known'}: {reason(error)}")
        self.step = step


@dataclass(frozen=True)
class Place:
    """A running local cloud."""

    cloud: Cloud
    api: AirflowApi

    def services(self) -> dict[str, int]:
        """Its services by name, with their process ids."""
        return {name: service["pid"] for name, service in json.loads(STATE.read_text()).items()}

    def run(self, files: list[Path]) -> Run:
        """Lands files and runs the DAG over them.

        Raises StoppedError where the run does not come to its end.
        """
        self.cloud.land(PRODUCT, {file.name: file for file in files})
        dag_run = ""
        try:
            dag_run = self.api.trigger(PRODUCT)
            follow(self.api, PRODUCT, dag_run)
        except Exception as error:  # from a run that failed to an Airflow that is gone
            raise StoppedError(error, self._step_at(dag_run)) from error
        found = self.api.returned(PRODUCT, dag_run, "discover") or {}
        return Run(found.get("run", ""), steps(self.api.tasks(PRODUCT, dag_run)))

    def _step_at(self, dag_run: str) -> str | None:
        try:
            return step_at(self.api.tasks(PRODUCT, dag_run))
        except requests.RequestException:
            return None

    def rows(self) -> dict[str, int]:
        """How many rows the ledger has seen."""
        statuses = ("read", "valid", "rejected", "duplicate")
        sums = ", ".join(f"SUM(rows_{status}) AS {status}" for status in statuses)
        (told,) = self.cloud.query(f"SELECT {sums} FROM ops.files WHERE product = {literal(PRODUCT)}")
        return told

    def fingerprints(self) -> dict[str, list[str]]:
        """Rows and a sum over their content, of each table that people read; the same for the same rows."""
        tables = {f"gold.{table.table}": "*" for table in load_product(PRODUCT).gold}
        tables[f"silver.{PRODUCT}"] = "* EXCEPT (run, source_generation)"  # which tell of the way
        return {
            table: list(map(str, self.cloud.query(fingerprint(table, columns))[0].values()))
            for table, columns in tables.items()
        }


@contextmanager
def place(sources: Iterable[str] = (), keep: bool = False) -> Iterator[Place]:
    """Starts a cloud with nothing in it, unless its data is to be kept, and stops it. Training, which a run
    triggers, is paused.
    """
    services = start_over(keep)
    try:
        cloud = start(services, sources=sources)
        api = AirflowApi(cloud.ports["airflow"])
        training = load_product(PRODUCT).train
        assert training is not None
        for dag in (PRODUCT, training):
            api.wait_for_dag(dag)
        api.pause(training)
        yield Place(cloud, api)
    finally:
        services.stop()


def fingerprint(table: str, columns: str = "*") -> str:
    """The query for the rows of a table, and a sum over what these columns have in them."""
    # MD5 is the emulator's own; FARM_FINGERPRINT is Python there, and takes minutes for a year of rows.
    row = "CONCAT('0x', SUBSTR(TO_HEX(MD5(TO_JSON_STRING(t))), 1, 15))"
    # Its NUMERIC has 15 digits before the point; the sum of a year's rows has more.
    content = f"SUM(CAST(CAST({row} AS INT64) AS BIGNUMERIC))"
    return f"SELECT COUNT(*) AS n, {content} AS content FROM (SELECT {columns} FROM {table}) AS t"


def steps(tasks: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds of each step, from the end of the one before it, of the task instances of a run."""
    ends: dict[str, datetime] = {}
    for task in tasks:
        step, end = task["task_id"].partition(".")[0], datetime.fromisoformat(task["end_date"])
        ends[step] = max(end, ends.get(step, end))
    before = min(datetime.fromisoformat(task["start_date"]) for task in tasks if task["start_date"])
    seconds = {}
    for step in STEPS:
        seconds[step] = (ends[step] - before).total_seconds()
        before = ends[step]
    return seconds


def step_at(tasks: list[dict[str, Any]]) -> str | None:
    """The step of the first task of a run that failed, or else of the last one that has begun."""
    begun = [task for task in tasks if task["start_date"] and task["state"] != "upstream_failed"]
    begun.sort(key=lambda task: task["start_date"])
    failed = [task for task in begun if task["state"] == "failed"]
    return (failed or begun[-1:])[0]["task_id"].partition(".")[0] if begun else None
