"""Deadlines: a DAG that looks, at the time by which a product has to be published, whether it is.

Airflow's own deadlines (3.1) know a DAG run that exists and is late, and keep one from being made that has
no logical date. This one asks the tables, so that it also sees a run that never began, that was skipped for
want of files, or that failed before gold.
"""

from datetime import datetime
from typing import Any

from airflow.sdk import DAG, task

from medallion.deadlines import deadline_cron, due_before, last_deadline, not_shown
from medallion.environments import Environment
from medallion.products import Product
from pipeline.incidents import (
    DEADLINE,
    FAILURE,
    Incident,
    close_incidents,
    open_incidents,
    raise_incident,
)
from pipeline.notify import task_defaults
from pipeline.scripts import query
from pipeline.work import from_now_on

SUFFIX, LOOK = "__deadline", "look"
UNSEEN = f"{FAILURE}{LOOK}"


def deadline_dag(product: Product, environment: Environment) -> DAG:
    """The DAG that looks after a product's deadline, which its schedule has."""
    assert product.schedule is not None
    with DAG(
        dag_id=f"{product.name}{SUFFIX}",
        description=f"Tells where {product.name} is not published by {product.deadline}.",
        schedule=from_now_on(deadline_cron(product.schedule), product.timezone),
        catchup=False,
        max_active_runs=1,
        default_args=task_defaults(product, environment),
        tags=["deadline"],
    ) as dag:
        _look(product, environment)
    return dag


def late_tables(product: Product, environment: Environment, due: datetime) -> list[str]:
    """Names of silver and the gold tables that show nothing of a run that was due."""
    tables = [table.table for table in product.gold]
    return not_shown(query(environment, "incidents/shown.sql", product=product.name, tables=tables), due)


def _look(product: Product, environment: Environment) -> Any:
    schedule = product.schedule
    assert schedule is not None

    @task(task_id=LOOK)
    def look(**context: Any) -> None:
        deadline = last_deadline(schedule, context["dag_run"].run_after)
        late = late_tables(product, environment, due_before(schedule, deadline))
        known = open_incidents(product, environment)
        audience = product.notify_failure
        close_incidents([UNSEEN], known, product, environment, audience)  # this time it could look
        if not late:
            close_incidents([DEADLINE], known, product, environment, audience)
            return
        told = f"By {deadline:%Y-%m-%d %H:%M} nothing of the run due before it is in {', '.join(late)}."
        incident = Incident(DEADLINE, told, f"airflow dags trigger {product.name}")
        raise_incident(incident, known, product, environment, audience, context)  # type: ignore[arg-type]

    return look()
