"""A small product on the emulators, through its real tasks; only the Spark job is stood in for."""

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.exceptions import AirflowSkipException
from google.cloud import bigquery

from medallion.environments import Environment
from medallion.manifest import Manifest
from medallion.products import Product
from pipeline.product import product_dag
from tests.dags.conftest import TaskInstance
from tests.dags.pipeline.stand_in_job import HEADER, clean, contract

BUILDING = Lock()  # what Airflow knows of a DAG that is being built is the whole process's
STAGED = ("stage.unchanged", "stage.tables", "stage.rows", "stage.files")


class Pipeline:
    """A product's DAG, run task by task."""

    def __init__(self, product: Product, environment: Environment, client: bigquery.Client, buckets: Path):
        self.product = product
        self.environment = environment
        self.contract = contract()
        self._client = client
        self._buckets = buckets

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, in which {product} stands for the product's name."""
        job = self._client.query(sql.format(product=self.product.name), retry=None, job_retry=None)
        return [tuple(row.values()) for row in job.result(retry=None, job_retry=None)]

    def published(self) -> dict[str, list[str]]:
        """Every row that people read, or that says what was published, as JSON, by table."""
        silver = [f"silver.{self.product.name}{part}" for part in ("", "__superseded", "__keys")]
        gold = [f"gold.{table.table}" for table in self.product.gold]
        own = dict.fromkeys((*silver, f"quarantine.{self.product.name}", *gold), "TRUE")
        ops = [f"ops.{name}" for name in ("files", "runs", "touched_partitions", "refreshes")]
        tables = own | dict.fromkeys(ops, "product = '{product}'")
        told = "SELECT TO_JSON_STRING(t) FROM {} AS t WHERE {} ORDER BY 1"
        return {
            name: [row[0] for row in self.query(told.format(name, which))] for name, which in tables.items()
        }

    def land(self, name: str, *lines: str, header: str = HEADER) -> None:
        path = self.path(f"gs://{self.environment.buckets['bronze']}/{self.product.name}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *lines]) + "\n")

    def run(self, *lines: str, header: str = HEADER, name: str = "a.csv") -> dict[str, Any]:
        """Lands a file and publishes it; returns what discover returned."""
        self.land(name, *lines, header=header)
        context = self.discover()
        self.clean(context)
        self.publish(context)
        return context["ti"].returned["discover"]

    def replay(self, **asked: Any) -> dict[str, Any]:
        """Replays rejected rows up to publish; returns what discover returned."""
        context = self.discover(asked)
        self.clean(context)
        self.publish(context)
        return context["ti"].returned["discover"]

    def backfill(self, first: str, last: str, apply: bool) -> list[dict[str, Any]]:
        """Processes files again up to publish; returns what it said it would change."""
        context = self.discover(backfill={"first": first, "last": last, "apply": apply})
        self.clean(context)
        try:
            self.publish(context)
        except AirflowSkipException:
            assert not apply
        return json.loads(self.path(f"{self.manifest(context).output}/changes.json").read_bytes())

    def discover(
        self,
        replay: dict[str, Any] | None = None,
        backfill: dict[str, Any] | None = None,
        forget: dict[str, Any] | None = None,
        dag_runs: dict[str, list[str]] | None = None,
    ) -> dict[str, Any]:
        """The context in which the tasks after discover run; beside runs of other DAGs in these states."""
        instance, began = TaskInstance(), SimpleNamespace(start_date=datetime.now(UTC))
        find = product_dag(self.product, self.environment).get_task("discover").python_callable
        instance.dag_runs = dag_runs or {}
        params = {"replay": replay, "backfill": backfill, "forget": forget}
        instance.returned["discover"] = find(params=params, ti=instance)
        return {"ti": instance, "logical_date": None, "dag_run": began}

    def clean(self, context: dict[str, Any]) -> None:
        clean(self.manifest(context), self.path)

    def publish(self, context: dict[str, Any]) -> None:
        """Every task from stage to publish; ends where one is skipped."""
        for task_id in (*STAGED, "audit", "publish"):
            self.task(task_id, context)

    def refresh(self, found: dict[str, Any]) -> None:
        """Refreshes each gold table, after discover found this."""
        instance, began = TaskInstance(), SimpleNamespace(start_date=datetime.now(UTC))
        instance.returned["discover"] = found
        context = {"ti": instance, "logical_date": None, "run_id": "manual", "dag_run": began}
        for table in self.product.gold:
            self.task(f"gold.{table.table}", context)

    def task(self, task_id: str, context: dict[str, Any]) -> None:
        with BUILDING:
            task = product_dag(self.product, self.environment).get_task(task_id)
        if task_id == "stage.unchanged":
            task.python_callable(**context)
            return
        if task._pre_execute_hook:
            task._pre_execute_hook(context)
        task.execute(context)

    def manifest(self, context: dict[str, Any]) -> Manifest:
        return Manifest.from_json(self.path(context["ti"].returned["discover"]["manifest"]).read_bytes())

    def path(self, uri: str) -> Path:
        """The file of an object."""
        return self._buckets / uri.removeprefix("gs://")


def skipped(pipeline: Pipeline, task_id: str, context: dict[str, Any]) -> str:
    """What a task says of being skipped."""
    with pytest.raises(AirflowSkipException) as skip:
        pipeline.task(task_id, context)
    return str(skip.value)
