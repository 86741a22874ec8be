"""What brings incidents about: alerts that are looked at, tasks that fail, runs that come through."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from medallion.alerts import Audience
from pipeline.product import product_dag
from tests.dags.conftest import TaskInstance
from tests.dags.pipeline.channels import Mails
from tests.dags.pipeline.orders import Pipeline

TEAM = Audience(("team@example.com",))
NOTED = (
    "SELECT incident, CAST(told_on AS STRING), offending_rows, closed_at IS NOT NULL FROM ops.incidents"
    " WHERE product = '{product}' ORDER BY incident, opened_at"
)


class Instance(TaskInstance):
    """A task instance that has failed, and to which discover handed on what was found."""

    def __init__(self, task_id: str, found: Any = None) -> None:
        super().__init__()
        self.returned = {"discover": found}
        self.task_id, self.try_number, self.log_url = task_id, 4, f"http://log/{task_id}"


def run_on(day: str, task_id: str = "alert", found: Any = None, **also: Any) -> dict[str, Any]:
    """A task's context in the run of a day, at 06:00 in New York."""
    moment = datetime.fromisoformat(f"{day}T11:00:00+00:00")
    run = {"run_id": f"scheduled__{day}", "dag_run": SimpleNamespace(run_after=moment)}
    return {**run, "ti": Instance(task_id, found), **also}


def look(pipeline: Pipeline, day: str, *lines: str, name: str = "a.csv") -> None:
    """Publishes a file where there is one, and has the alerts of a run of that day looked at."""
    if lines:
        pipeline.refresh(pipeline.run(*lines, name=name))
    work(pipeline, "alert", run_on(day))


def work(pipeline: Pipeline, task_id: str, context: dict[str, Any]) -> None:
    product_dag(pipeline.product, pipeline.environment).get_task(task_id).python_callable(**context)


def fail(pipeline: Pipeline, day: str, task_id: str, reason: Exception, **also: Any) -> None:
    """What Airflow does when a task has failed for good."""
    dag = product_dag(pipeline.product, pipeline.environment)
    (callback,) = dag.get_task(task_id).on_failure_callback
    callback(run_on(day, task_id, dag=dag, exception=reason, **also))


def subjects(mails: Mails) -> list[str]:
    return [" ".join(mail["Subject"].split()) for mail in mails()]  # long ones are folded
