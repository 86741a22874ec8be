"""The periods of an API that no run has pulled, be it that Airflow or the API was away: the next run does."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import timezone
from airflow.timetables.base import TimeRestriction

from medallion.alerts import NOBODY, Audience
from medallion.environments import Environment
from medallion.products import Product
from medallion.sources import HttpSource, period_of
from pipeline.bronze import Bronze
from pipeline.http_source import NotLetInError, folder_of, pull_answers
from pipeline.incidents import FAILURE, OF_PERIOD, Incident, close_incidents, open_incidents, raise_incident
from pipeline.messages import LONGEST
from pipeline.work import from_now_on, moment_of

MOST = 100  # periods that a run makes up for; a long weekend has 96 hours

log = logging.getLogger(__name__)


def pull_missed(
    product: Product, source: HttpSource, environment: Environment, bronze: Bronze, context: Any
) -> int:
    """Pulls what was due between the newest period in bronze and a run's own; returns how many objects.

    The oldest first, and the run's own after them: so bronze says by itself how far an API was pulled, and
    a try goes on where another has stopped. What comes later passes a period that the API refuses, and those
    that are too many for a run: each is an incident, which a run of that period ends.
    """
    moment = moment_of(context)
    newest = newest_periods(source, bronze, period_of(moment, source.period, product.timezone))
    if not newest:
        return 0  # the first run of all
    due = due_periods(product, source, min(newest.values()), moment)
    parts = [replace(source, parts={part: source.parts[part]} if part else {}) for part in newest]
    known = open_incidents(product, environment)
    audience = product.notify_failure

    def miss(period: str, reason: str) -> None:
        """Notes a period that is not pulled; people are told of the first of a run."""
        nonlocal audience
        # Airflow has one run of a moment, and the one that was due may have failed.
        date = (due[period] + timedelta(seconds=1)).astimezone(UTC).isoformat()
        command = f"airflow dags trigger --logical-date {date} {product.name}"
        incident = Incident(f"{FAILURE}{OF_PERIOD}{period}", reason[:LONGEST], command)
        _tell(partial(raise_incident, incident, known, product, environment, context=context), audience)
        audience = NOBODY

    periods = list(due)
    skipped = periods[:-MOST] if len(periods) - 1 > MOST else []  # the first is most often complete
    if skipped:
        reason = (
            f"Nothing from {skipped[0]} to {skipped[-1]} was asked for: a run makes up for {MOST} periods. "
            f"Next: trigger a run of {skipped[-1]}, which makes up for those before it."
        )
        miss(skipped[-1], reason)
    made = 0
    for period in periods[len(skipped) :]:
        pulled, refused = _pull(parts, period, bronze)
        made += pulled
        if refused:
            miss(period, "; ".join(refused))
        elif len(newest) == len(source.parts or [source]):
            over = [f"{FAILURE}{OF_PERIOD}{period}"]
            _tell(partial(close_incidents, over, known, product, environment), product.notify_failure)
    log.info("product=%s step=extract since=%s missed=%d", product.name, periods[0], made)
    return made


def newest_periods(source: HttpSource, bronze: Bronze, own: str) -> dict[str, str]:
    """The newest period before a run's own that bronze has of each part; a part that is new has none."""
    names, newest = bronze.names(), {}
    for part in source.parts or ("",):
        folder = folder_of(source, part)
        periods = {name.removeprefix(folder).split("/")[0] for name in names if name.startswith(folder)}
        # Those of another length are days, and the source has hours by now, or the other way round.
        earlier = [period for period in periods if period < own and len(period) == len(own)]
        if earlier:
            newest[part] = max(earlier)
    return newest


def due_periods(product: Product, source: HttpSource, since: str, moment: datetime) -> dict[str, datetime]:
    """The periods of the runs that were due before that of a moment, ascending, each with its run's moment.

    `since` is the first in any case: it may have been pulled in part.
    """
    zone = UTC if source.period == "hour" else ZoneInfo(product.timezone)
    first = datetime.fromisoformat(since).replace(tzinfo=zone)
    due = {since: first}
    if product.schedule is None:
        return due
    clock, last = from_now_on(product.schedule.cron, product.timezone), None
    earliest, latest = timezone.coerce_datetime(first), timezone.coerce_datetime(moment)
    span = TimeRestriction(earliest, latest, catchup=True)
    while info := clock.next_dagrun_info(last_automated_data_interval=last, restriction=span):
        last = info.data_interval
        due.setdefault(period_of(info.run_after, source.period, product.timezone), info.run_after)
    due.pop(period_of(moment, source.period, product.timezone), None)
    return due


def _tell(note: Callable[[Audience], None], audience: Audience) -> None:
    """Notes something and tells it to an audience; where nobody can be told, it is noted all the same.

    Nothing asks for a period again once later ones are pulled, and no dead channel keeps those away.
    """
    try:
        note(audience)
    except AirflowException:
        log.exception("Going on without telling")
        note(NOBODY)


def _pull(parts: Iterable[HttpSource], period: str, bronze: Bronze) -> tuple[int, list[str]]:
    """How many objects a period's parts have made, and what the API said of those that it refuses."""
    made, refused = 0, []
    for part in parts:
        try:
            made += pull_answers(part, period, bronze)
        except NotLetInError:
            raise  # into no other period either
        except AirflowFailException as error:
            refused.append(str(error))
    return made, refused
