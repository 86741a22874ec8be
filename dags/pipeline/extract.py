"""extract: pulls what a source has new into bronze, where discover finds it like any file that landed."""

import json
import logging
from datetime import timedelta
from typing import Any

from airflow.exceptions import AirflowFailException
from airflow.sdk import Variable, task

from medallion.environments import Environment
from medallion.errors import MedallionError
from medallion.products import Product, changed_source
from medallion.sources import FileSource, HttpSource, SqlSource, period_of
from pipeline.bronze import bronze_of
from pipeline.http_source import pull_answers
from pipeline.missed import pull_missed
from pipeline.sql_source import pull_table
from pipeline.work import EXTRACT, asked_for, moment_of

# An API may ask to wait for minutes. Doubled up to the longest of work.RETRIES, the tries take 25 at least.
RETRY_DELAY = timedelta(minutes=5)

log = logging.getLogger(__name__)


def extract(product: Product, environment: Environment) -> Any:
    """The step's task, which returns how many objects it made; None for files, which land by themselves.

    A run that was asked for something else, as a replay is, pulls nothing.
    """
    source = product.source
    if isinstance(source, FileSource):
        return None

    @task(task_id=EXTRACT, retry_delay=RETRY_DELAY)
    def pull(**context: Any) -> int:
        if asked_for(context):
            return 0
        made = pull_source(product, source, environment, context)
        log.info("product=%s step=extract made=%d", product.name, made)
        return made

    return pull()


def pull_source(
    product: Product, source: HttpSource | SqlSource, environment: Environment, context: Any
) -> int:
    """Pulls what a source has at a run's moment, and what runs before it have missed; returns how many
    objects that made.
    """
    source, moment = _as_set_here(product, source), moment_of(context)
    bronze, period = bronze_of(product, environment), period_of(moment, source.period, product.timezone)
    if isinstance(source, SqlSource):
        return pull_table(source, period, moment, bronze)
    # An API that is not asked for a period says what is so now: what it said then is gone.
    missed = pull_missed(product, source, environment, bronze, context) if source.by_period else 0
    return missed + pull_answers(source, period, bronze)


def _as_set_here(product: Product, source: HttpSource | SqlSource) -> HttpSource | SqlSource:
    """The source with the values of its Airflow variable, which is read at each run, where there is one."""
    # As a text: one that is no JSON, Airflow takes for a variable that is not there.
    text = Variable.get(source.variable, default=None) if source.variable else None
    if not source.variable or text is None:
        return source
    try:
        changes = json.loads(text)
        changed = changed_source(product.name, changes, source.variable)
    except json.JSONDecodeError as error:
        told = f"Airflow's variable {source.variable}: expected JSON, got none: {error}"
        raise AirflowFailException(f"{told}. Next: mend the variable.") from error
    except MedallionError as error:
        raise AirflowFailException(str(error)) from error
    log.info("product=%s step=extract variable=%s keys=%s", product.name, source.variable, sorted(changes))
    return changed  # type: ignore[return-value]  # its type is the file's
