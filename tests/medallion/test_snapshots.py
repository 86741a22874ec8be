from datetime import date, timedelta
from itertools import pairwise

import pytest

from medallion.snapshots import SnapshotPlan, TooLittleHistoryError, plan_snapshots


def test_a_year_is_planned_back_from_its_last_date() -> None:
    plan = plan_snapshots(date(2017, 1, 1), date(2017, 12, 31), 7)
    assert plan.score_date == date(2017, 12, 31)
    assert plan.test_date == date(2017, 12, 1)
    assert plan.validation_date == date(2017, 11, 1)
    assert plan.train_dates[-1] == date(2017, 10, 2)
    assert plan.train_dates[0] == date(2017, 4, 3)
    assert len(plan.train_dates) == 27
    assert {later - earlier for earlier, later in pairwise(plan.train_dates)} == {timedelta(7)}


def test_all_dates_ascend() -> None:
    plan = plan_snapshots(date(2017, 1, 1), date(2017, 12, 31), 7)
    assert len(plan.snapshot_dates) == 30
    assert list(plan.snapshot_dates) == sorted(plan.snapshot_dates)


def test_a_plan_that_only_scores_has_one_date() -> None:
    assert SnapshotPlan(date(2017, 12, 31)).snapshot_dates == (date(2017, 12, 31),)


def test_the_shortest_history_gives_one_training_snapshot_with_a_full_window() -> None:
    first = date(2017, 1, 1)
    plan = plan_snapshots(first, first + timedelta(180), 7)
    assert plan.train_dates == (first + timedelta(90),)


def test_a_day_less_is_too_little() -> None:
    with pytest.raises(TooLittleHistoryError, match=r"needs 181 days of history, got 180 \(2017-01-01 to"):
        plan_snapshots(date(2017, 1, 1), date(2017, 6, 29), 7)
