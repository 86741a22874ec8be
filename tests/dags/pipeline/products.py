"""A product of conf/ on the emulators, through all of its tasks, the Spark job's among them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.exceptions import AirflowSkipException

from medallion.sources import FileSource
from pipeline.product import product_dag
from tests.dags.conftest import TaskInstance
from tests.dags.pipeline.orders import STAGED
from tests.dags.pipeline.real_job import RealPipeline


class WholePipeline(RealPipeline):
    """A product's DAG from its source to what users look at."""

    def run_all(self, moment: datetime | None = None) -> dict[str, str]:
        """Runs every task that a run at a moment has; returns their states by id."""
        started = moment or datetime(2026, 1, 10, tzinfo=UTC)
        context = {
            "ti": TaskInstance(),
            "logical_date": moment,
            "dag_run": SimpleNamespace(run_after=started, start_date=started),
            "run_id": "manual",
            "params": dict.fromkeys(("replay", "backfill", "forget")),
        }
        dag = product_dag(self.product, self.environment)
        states: dict[str, str] = {}
        if not isinstance(self.product.source, FileSource):
            states["extract"] = _state(lambda: dag.get_task("extract").python_callable(**context))
        states["discover"] = _state(lambda: self._find(context))
        if states["discover"] == "skipped":
            return states
        steps = {
            "clean": lambda: self.clean(context),
            **{name: lambda name=name: self.task(name, context) for name in (*STAGED, "audit", "publish")},
            **{
                f"gold.{table.table}": lambda table=table: self.task(f"gold.{table.table}", context)
                for table in self.product.gold
            },
        }
        for name, step in steps.items():
            states[name] = _state(step)
        if self.product.report:
            states["serve.report"] = _state(lambda: dag.get_task("serve.report").python_callable(**context))
        if self.product.documents:
            task = dag.get_task("serve.firestore")
            states["serve.firestore"] = _state(lambda: task.python_callable(**context))
        for name in ("alert", "all_clear"):
            if name in dag.task_ids:
                states[name] = _state(lambda name=name: dag.get_task(name).python_callable(**context))
        return states

    def counted(self) -> tuple[int, ...]:
        """Rows read, valid, rejected and duplicate, of all files in the ledger."""
        (counts,) = self.query(
            "SELECT SUM(rows_read), SUM(rows_valid), SUM(rows_rejected), SUM(rows_duplicate)"
            " FROM ops.files WHERE product = '{product}'"
        )
        return counts

    def _find(self, context: dict[str, Any]) -> None:
        find = product_dag(self.product, self.environment).get_task("discover").python_callable
        context["ti"].returned["discover"] = find(**context)


def _state(step: Any) -> str:
    try:
        step()
    except AirflowSkipException:
        return "skipped"
    return "success"
