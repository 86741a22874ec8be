"""Incidents: opened by a cause, told again once a day while they last, and closed when they are over."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import Context
from google.api_core.exceptions import GoogleAPICallError
from google.cloud.bigquery import Row
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from medallion.alerts import Audience
from medallion.environments import Environment
from medallion.models import Model
from medallion.products import Product
from medallion.sources import HttpSource, period_of
from pipeline.messages import Message, send
from pipeline.scripts import query
from pipeline.work import EXTRACT, moment_of

DEADLINE = "deadline"
FAILURE, ALERT = "failure.", "alert."
OF_PERIOD = f"{EXTRACT} of "
# Steps whose work a later run makes up for: one that finds nothing new or owed shows that it is done.
# What another step has left undone stays so, until its own tasks are cleared or there is something new.
MADE_UP = frozenset({"discover", "clean", "stage", "audit", "publish", "gold", "all_clear"})
# Nothing else tries a callback again, and Airflow ends it 20 seconds after its task (task_success_overtime).
TRIES, LONGEST_WAIT = 4, 4  # seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Incident:
    """What is wrong: `cause` names it among the product's incidents, `command` is what helps."""

    cause: str
    detail: str
    command: str
    rows: int | None = None

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return title(self.cause)


def title(cause: str) -> str:
    """What an incident of a cause is called in messages."""
    if cause.startswith(FAILURE):
        return f"{cause.removeprefix(FAILURE)} failed"
    return "not published in time" if cause == DEADLINE else cause.removeprefix(ALERT)


def extract_of(context: Mapping[str, Any], product: Product | Model) -> str:
    """What extract is called that fails in a run: with its period, if no run of another makes up for it."""
    source = getattr(product, "source", None)
    # A callback for a task whose worker died may know nothing of its run.
    if isinstance(source, HttpSource) and source.by_period and context.get("dag_run"):
        return f"{OF_PERIOD}{period_of(moment_of(context), source.period, product.timezone)}"
    return EXTRACT


def open_incidents(product: Product | Model, environment: Environment) -> dict[str, Row]:
    """The open incidents of a product by their causes."""
    rows = query(environment, "incidents/open.sql", product=product.name)
    return {row["incident"]: row for row in rows}


def raise_incident(
    incident: Incident,
    known: Mapping[str, Row],
    product: Product | Model,
    environment: Environment,
    audience: Audience,
    context: Context,
    link: str | None = None,
) -> None:
    """Opens an incident, or goes on with the known one of its cause, and tells of it if that day has not.

    It is told first and noted then. So a try that ends in between is told twice, as are two tasks that fail
    in the same moment; but nothing is noted that nobody was told.
    """
    day, told_on = day_of(context, product), None
    if incident.cause in known:
        told_on = known[incident.cause]["told_on"]
    if audience and (told_on is None or told_on < day):
        facts = {
            "What": f"{product.name}: {incident.title}{', still' if incident.cause in known else ''}",
            "Rows": incident.rows,
            "Run": context["run_id"],
            "Reason": incident.detail,
            "Next": incident.command,
        }
        send(Message(f"{product.name}: {incident.title}", facts, link), audience)
        told_on = day
    _note(
        environment,
        product=product.name,
        incident=incident.cause,
        told_on=told_on,
        run=context["run_id"],
        rows=incident.rows,
        detail=incident.detail,
        command=incident.command,
    )
    log.warning("product=%s incident=%s rows=%s", product.name, incident.cause, incident.rows)


def _note(environment: Environment, **values: Any) -> None:
    """Notes an incident; what makes many products fail makes them write at once, more than BigQuery takes."""
    tries = Retrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_random_exponential(max=LONGEST_WAIT),
        retry=retry_if_exception_type(GoogleAPICallError),
        sleep=sleep,
        reraise=True,
    )
    tries(query, environment, "incidents/note.sql", **values)


def close_incidents(
    causes: Iterable[str],
    known: Mapping[str, Row],
    product: Product | Model,
    environment: Environment,
    audience: Audience,
) -> None:
    """Closes the known incidents of these causes; who was told of one is told that it is over."""

    def close(cause: str) -> None:
        row = known[cause]
        if audience and row["told_on"] is not None:
            facts = {
                "What": f"{product.name}: {title(cause)}, which is over",
                "Since": f"{row['opened_at']:%Y-%m-%d %H:%M} UTC",
                "It was": row["detail"],
            }
            send(Message(f"{product.name}: {title(cause)}: over", facts), audience)
        query(environment, "incidents/close.sql", product=product.name, incident=cause)
        log.info("product=%s incident=%s closed", product.name, cause)

    for_each((cause for cause in causes if cause in known), close)


def for_each(items: Iterable[Any], work: Callable[[Any], None]) -> None:
    """Does the work for each item, whatever becomes of the others, and raises at the end what went wrong.

    That is an AirflowException, and a final one where no other try mends any of it.
    """
    errors = []
    for item in items:
        try:
            work(item)
        except Exception as error:  # such as a channel that nobody answers
            log.exception("Going on with the others")
            errors.append(error)
    if errors:
        final = all(isinstance(error, AirflowFailException) for error in errors)
        told = "; ".join(str(error) for error in errors)
        raise (AirflowFailException if final else AirflowException)(told) from errors[0]


def day_of(context: Any, product: Product | Model) -> date:
    """The day of a run, in its product's timezone."""
    run = context.get("dag_run")
    # A callback for a task whose worker died may know nothing of its run.
    moment: datetime = run.run_after if run else datetime.now(UTC)
    return moment.astimezone(ZoneInfo(product.timezone)).date()
