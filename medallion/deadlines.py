"""When a product has to be published: the deadline of its schedule, and the run that it is about."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from medallion.products import Schedule


def deadline_cron(schedule: Schedule) -> str:
    """The deadline as a cron, in the schedule's timezone."""
    hour, minute = _time(schedule)
    return f"{minute} {hour} * * *"


def last_deadline(schedule: Schedule, now: datetime) -> datetime:
    """The newest deadline that has passed."""
    local = now.astimezone(ZoneInfo(schedule.timezone))
    hour, minute = _time(schedule)
    today = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today <= local else today - timedelta(days=1)


def due_before(schedule: Schedule, deadline: datetime) -> datetime:
    """When the run was due that a deadline is about: the last one before it."""
    from croniter import croniter  # Spark jobs have none

    zone = ZoneInfo(schedule.timezone)
    # By what the clock shows, as Airflow does: of a time with a zone croniter is an hour off after a change.
    shown = deadline.astimezone(zone).replace(tzinfo=None)
    due: datetime = croniter(schedule.cron, shown).get_prev(datetime)
    return due.replace(tzinfo=zone)


def not_shown(shown: Iterable[Any], due: datetime) -> list[str]:
    """Names of the tables, of rows of sql/incidents/shown.sql, that show no files since a run was due."""
    return [row["table_name"] for row in shown if row["shown_at"] is None or row["shown_at"] < due]


def _time(schedule: Schedule) -> tuple[int, int]:
    assert schedule.deadline is not None, "asked of schedules that have one"
    hour, minute = schedule.deadline.split(":")
    return int(hour), int(minute)
