"""all_clear: says which incidents are over once a run has come through."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import TriggerRule, task

from medallion.alerts import NOBODY
from medallion.deadlines import due_before, last_deadline
from medallion.environments import Environment
from medallion.models import Model
from medallion.products import ASKED, Product
from pipeline.deadline import late_tables
from pipeline.incidents import (
    ALERT,
    DEADLINE,
    FAILURE,
    MADE_UP,
    OF_PERIOD,
    close_incidents,
    extract_of,
    open_incidents,
)
from pipeline.work import DISCOVER, asked_for


def all_clear(product: Product | Model, environment: Environment) -> Any:
    """The last task of a run: it is reached when nothing failed, whether or not there was something new.

    Where a product's run found nothing to do, only failures are over of which that says no work is left. A
    run that was asked for something speaks of that alone, and no other run does. A missed deadline is over
    when what was due is there: a run may have refreshed gold alone, by a SELECT that was changed.
    Alerts that a product no longer has are closed without a word.
    """
    watched = {f"{ALERT}{each.name}" for each in getattr(product, "alerts", ())}

    @task(task_id="all_clear", trigger_rule=TriggerRule.NONE_FAILED)
    def close(**context: Any) -> None:
        news = context["ti"].xcom_pull(task_ids=DISCOVER)
        if news and news.get("dry_run"):
            return  # it has tried nothing but what it was asked to try
        known = open_incidents(product, environment)
        idle = news is None and isinstance(product, Product)  # a model's run has no discover
        failures = [cause for cause in known if cause.startswith(FAILURE)]
        asked = asked_for(context)
        pulled = extract_of(context, product)
        over = [cause for cause in failures if _shows_over(cause.removeprefix(FAILURE), asked, idle, pulled)]
        if DEADLINE in known and news is not None and not asked and _meets_deadline(product, environment):
            over.append(DEADLINE)
        forgotten = [cause for cause in known if cause.startswith(ALERT) and cause not in watched]
        close_incidents(forgotten, known, product, environment, NOBODY)
        close_incidents(over, known, product, environment, product.notify_failure)

    return close()


def _meets_deadline(product: Product | Model, environment: Environment) -> bool:
    """Whether by now all shows what was due before the last deadline; also where there is none any more."""
    if not isinstance(product, Product) or product.schedule is None or product.deadline is None:
        return True
    due = due_before(product.schedule, last_deadline(product.schedule, datetime.now(UTC)))
    return not late_tables(product, environment, due)


def _shows_over(failed: str, asked: Collection[str], idle: bool, pulled: str) -> bool:
    """Whether what failed is over now that a run has come through that was asked for this, was idle, or has
    pulled what is called so.
    """
    if asked:
        return failed in asked
    if failed.startswith(OF_PERIOD) and pulled.startswith(OF_PERIOD):
        return failed == pulled
    return failed in MADE_UP if idle else failed not in ASKED
