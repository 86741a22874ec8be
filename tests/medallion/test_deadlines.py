"""Deadlines in a product's timezone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from medallion.deadlines import deadline_cron, due_before, last_deadline
from medallion.products import Schedule

NEW_YORK = ZoneInfo("America/New_York")


def schedule(cron: str = "0 0 * * *", deadline: str = "07:00") -> Schedule:
    return Schedule(cron, "America/New_York", deadline=deadline)


def test_it_is_a_time_of_every_day() -> None:
    assert deadline_cron(schedule(deadline="07:05")) == "5 7 * * *"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 1, 10, 12, 0, tzinfo=UTC), 10),  # 07:00 there, to the minute
        (datetime(2026, 1, 10, 11, 59, tzinfo=UTC), 9),
        (datetime(2026, 1, 11, 3, 0, tzinfo=UTC), 10),
    ],
)
def test_the_last_one_is_the_newest_that_has_passed(now: datetime, day: int) -> None:
    assert last_deadline(schedule(), now) == datetime(2026, 1, day, 7, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("0 0 * * *", datetime(2026, 1, 10, 0, tzinfo=NEW_YORK)),
        ("0 22 * * *", datetime(2026, 1, 9, 22, tzinfo=NEW_YORK)),
        ("0 * * * *", datetime(2026, 1, 10, 6, tzinfo=NEW_YORK)),  # the run of 07:00 has yet to begin
        ("0 0 * * 1", datetime(2026, 1, 5, 0, tzinfo=NEW_YORK)),
    ],
)
def test_it_is_about_the_run_due_before_it(cron: str, due: datetime) -> None:
    assert due_before(schedule(cron), datetime(2026, 1, 10, 7, tzinfo=NEW_YORK)) == due


def test_a_night_of_an_hour_less_changes_nothing() -> None:
    spring = datetime(2026, 3, 8, 7, tzinfo=NEW_YORK)
    assert due_before(schedule(), spring) == datetime(2026, 3, 8, 0, tzinfo=NEW_YORK)


@pytest.mark.parametrize(("month", "changed"), [(3, 8), (11, 1)])
@pytest.mark.parametrize("days", [0, 1, 20])
def test_a_run_was_due_when_the_clock_showed_it_whatever_it_has_shown_since(
    month: int, changed: int, days: int
) -> None:
    first = datetime(2026, month, 1, 0, 30, tzinfo=NEW_YORK)
    deadline = datetime(2026, month, changed + days, 9, tzinfo=NEW_YORK)
    due = due_before(schedule("30 0 1 * *", "09:00"), deadline)
    assert due == first
