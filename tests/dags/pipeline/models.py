"""A model of conf/ on the emulators, run task by task on a warehouse that a product has published to."""

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud import bigquery
from google.cloud.storage import Bucket

from medallion.environments import Environment
from medallion.models import Model
from medallion.pointer import promote, read_pointer
from medallion.sql import literal
from pipeline.training import model_dag
from tests.dags.conftest import TaskInstance

FIRST, LAST = date(2017, 1, 1), date(2017, 7, 19)  # 200 days
CUSTOMERS = 40
PLANNED = {
    **{"snapshot": "20170719-a1-b2", "version": "20170719-a1-b2", "release": "r", "skip": ""},
    **{"live": "20170101-x-y", "champion": "gs://models/m/20170101-x-y", "examples": "gs://lake/e"},
}


class ModelRun:
    """A model's DAG, run task by task on a warehouse in which one run of a product was published."""

    def __init__(
        self, model: Model, environment: Environment, client: bigquery.Client, models: Bucket
    ) -> None:
        self.name = model.name
        self.environment = environment
        self.models = models
        self._client = client
        self._dag = model_dag(model, environment)

    def query(self, sql: str) -> list[dict[str, Any]]:
        job = self._client.query(sql, retry=None, job_retry=None)
        return [dict(row) for row in job.result(retry=None, job_retry=None)]

    def publish(self, run: str, last: date = LAST, shown: bool = True) -> None:
        """A run of a product that brought every day up to a date; gold shows it, or has yet to."""
        self.query(
            "INSERT INTO ops.runs (product, run, contract_version, release, files, rows_read, rows_valid,"
            " rows_rejected, rows_duplicate, published_at)"
            f" VALUES ('orders', '{run}', '1', 'r', 1, 1, 1, 0, 0, TIMESTAMP '2017-08-01 00:00:00')"
        )
        self.query(
            "INSERT INTO ops.touched_partitions (product, run, partition_date)"
            f" SELECT 'orders', '{run}', day"
            f" FROM UNNEST(GENERATE_DATE_ARRAY({literal(FIRST)}, {literal(last)})) AS day"
        )
        if shown:
            self.query(
                "INSERT INTO ops.refreshes (product, table_name, definition, run, refreshed_at) VALUES"
                f" ('orders', 'customer_daily', 'd1', '{run}', TIMESTAMP '2017-08-01 00:00:00')"
            )

    def store(self, last: date = LAST) -> None:
        """gold.customer_daily: everybody comes every fifth day."""
        self.query(
            "CREATE OR REPLACE TABLE gold.customer_daily AS"
            " SELECT customer_id, order_date, 1 AS orders, 2 AS items,"
            " NUMERIC '10.00' AS net_sales, NUMERIC '1.00' AS discounts"
            f" FROM UNNEST(GENERATE_ARRAY(1, {CUSTOMERS})) AS customer_id,"
            f" UNNEST(GENERATE_DATE_ARRAY({literal(FIRST)}, {literal(last)})) AS order_date"
            f" WHERE MOD(customer_id + DATE_DIFF(order_date, {literal(FIRST)}, DAY), 5) = 0"
        )

    def go_live(self, version: str, origin: dict[str, Any]) -> None:
        """A version that was trained on an extract goes live."""
        written = json.dumps({"origin": origin, "version": version})
        self.models.blob(f"{self.name}/{version}/training.json").upload_from_string(written)
        promote(self.models, self.name, read_pointer(self.models, self.name), version)

    def plan(self) -> dict[str, Any]:
        return self.task("snapshot.plan", {})

    def origin(self, plan: dict[str, Any]) -> dict[str, Any]:
        """What is noted beside a plan's examples."""
        bucket, _, folder = plan["examples"].removeprefix("gs://").partition("/")
        return json.loads(GCSHook().download(bucket_name=bucket, object_name=f"{folder}/_plan.json"))

    def task(self, task_id: str, plan: dict[str, Any], live: str | None = None) -> Any:
        """Runs a task of a new run that was planned so, which this version scores."""
        begun = SimpleNamespace(start_date=datetime.now(UTC))
        context = {"ti": Handed(plan, live), "logical_date": None, "run_id": "run", "dag_run": begun}
        task = self._dag.get_task(task_id)
        task.deferrable = False
        if task._pre_execute_hook:
            task._pre_execute_hook(context)
        if hasattr(task, "python_callable"):
            wanted = {"ti": context["ti"]} if task_id in ("score.live", "score.drift") else {}
            return task.python_callable(**wanted)
        return task.execute(context)


class Handed(TaskInstance):
    """What the plan, its snapshot and the choice of a version hand on; other tasks have handed on nothing."""

    def __init__(self, plan: dict[str, Any] | None, live: str | None) -> None:
        super().__init__()
        self.returned = {"snapshot.plan": plan, "snapshot.features": "job", "score.live": live}

    def xcom_pull(self, task_ids: str, key: str | None = None) -> Any:
        return self.pushed.get(key) if key else self.returned.get(task_ids)
