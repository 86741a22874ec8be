"""notify: messages about runs, for a step that failed for good and for a run that published."""

import logging
import re
from collections.abc import Callable
from typing import Any

from airflow.sdk import Context, task

from medallion.environments import Environment
from medallion.models import Model
from medallion.products import Product
from pipeline.incidents import FAILURE, MADE_UP, Incident, extract_of, open_incidents, raise_incident
from pipeline.messages import LONGEST, Message, send
from pipeline.work import EXTRACT, RETRIES, asked_for, found, metrics_of

# How audits and gold's checks tell of rows (sql/pipeline/audit.sql, checks.sql), and that they have failed.
ROWS = re.compile(r": (\d+) (?:of \d+ |valid )?rows\b")
CHECKED = re.compile(r"audit failed|failed its checks|see ops\.checks")

log = logging.getLogger(__name__)


def on_failure(product: Product | Model, environment: Environment) -> Callable[[Context], None]:
    """What Airflow calls when a task's last try has failed.

    A step is one cause, whatever tasks it has; so is what a run was asked for, whatever step it failed at,
    and each period that could not be pulled, of an API that is asked for it.
    """

    def tell(context: Context) -> None:
        try:
            known = open_incidents(product, environment)
        except Exception:  # whatever keeps ops from being read, the failure is told
            log.exception("product=%s: ops.incidents can't be read", product.name)
            known = {}
        incident = failure(product, environment, context)
        link = context["ti"].log_url  # type: ignore[attr-defined]
        raise_incident(incident, known, product, environment, product.notify_failure, context, link)

    return tell


def task_defaults(product: Product | Model, environment: Environment) -> dict[str, Any]:
    """What every task of a DAG has: its owner, its retries, and what is told when they have failed."""
    return {"owner": product.owner, "on_failure_callback": on_failure(product, environment), **RETRIES}


def failure(product: Product | Model, environment: Environment, context: Context) -> Incident:
    """The incident that a failed task is."""
    instance = context["ti"]
    step, reason = instance.task_id.partition(".")[0], str(context.get("exception") or "its worker died")
    cause = next(iter(asked_for(context)), extract_of(context, product) if step == EXTRACT else step)
    command = f"airflow dags trigger {context['dag'].dag_id}"
    if isinstance(product, Product) and cause not in MADE_UP:
        # Airflow 3.1 looks for the text of --task-regex in task ids, not for a regular expression.
        only = f"--only-failed --downstream --yes --task-regex {step}"
        command = f"airflow tasks clear {only} {context['dag'].dag_id}"
    if CHECKED.search(reason):
        command = (
            f"SELECT run, name, detail, offending FROM {environment.datasets['ops']}.checks"
            f" WHERE product = '{product.name}' AND step = '{step}' AND severity = 'fail' AND NOT passed"
        )
    rows = [int(count) for count in ROWS.findall(reason)]
    detail = f"{instance.task_id}, try {instance.try_number}: {reason}"[:LONGEST]
    return Incident(f"{FAILURE}{cause}", detail, command, sum(rows) if rows else None)


def on_success(product: Product, **arguments: Any) -> Any:
    """The task that says what a run has published; None where nobody wants to know."""
    if not product.notify_success:
        return None

    @task(task_id="notify", **arguments)
    def notify(**context: Any) -> None:
        send(_published(product, context), product.notify_success)

    return notify()


def _published(product: Product, context: Any) -> Message:
    subject, run = f"{product.name}: published", found(context).get("run")
    if run is None:
        return Message(subject, {"What": "gold shows what an earlier run has published"})
    metrics = metrics_of(context)
    rows = {f"Rows {status}": f"{count:,}" for status, count in metrics["rows"].items()}
    unusable = [
        f"{file['uri']}: {file['reason']}" for file in metrics["files"] if file["state"] == "rejected"
    ]
    files = {"Files rejected": f"{len(unusable):,}; {'; '.join(unusable)}"[:LONGEST]} if unusable else {}
    return Message(subject, {"Run": run, **rows, **files})
