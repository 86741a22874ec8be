"""Which snapshot dates a model is trained, stopped, tested and scored on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from medallion.errors import MedallionError


class TooLittleHistoryError(MedallionError):
    """The history does not hold one training snapshot beside validation and test."""


@dataclass(frozen=True)
class SnapshotSpec:
    """The `snapshots` section of a model file: days looked back, looked ahead, and between snapshots."""

    window_days: int
    horizon_days: int
    spacing_days: int


@dataclass(frozen=True)
class SnapshotPlan:
    """The dates of a training run; no split's label period reaches past the next split's snapshot."""

    score_date: date
    test_date: date
    validation_date: date
    train_dates: tuple[date, ...]

    @property
    def snapshot_dates(self) -> tuple[date, ...]:
        """All dates, ascending, as sql/gold/customer_features.sql expects them."""
        return (*self.train_dates, self.validation_date, self.test_date, self.score_date)


def plan_snapshots(first_date: date, last_date: date, spec: SnapshotSpec) -> SnapshotPlan:
    """The plan for a history from its first to its last date, both included.

    Test, validation and the last training snapshot follow each other back by one horizon; training
    snapshots go on back by the spacing while their window is full. Raises TooLittleHistoryError.
    """
    days = (last_date - first_date).days + 1
    needed = spec.window_days + 3 * spec.horizon_days
    if days < needed:
        raise TooLittleHistoryError(
            f"Training needs {needed} days of history, got {days} ({first_date} to {last_date}). "
            "Next: load more history, or leave the model untrained until it is there."
        )
    horizon, spacing = timedelta(spec.horizon_days), timedelta(spec.spacing_days)
    last_train_date = last_date - 3 * horizon
    snapshots = (days - needed) // spec.spacing_days + 1
    return SnapshotPlan(
        score_date=last_date,
        test_date=last_date - horizon,
        validation_date=last_date - 2 * horizon,
        train_dates=tuple(last_train_date - spacing * back for back in reversed(range(snapshots))),
    )


def taught_by(plan: Mapping[str, Any], spec: SnapshotSpec, day: date) -> list[date]:
    """The snapshots of a plan, as it was written down, whose features or labels looked at a date; of those
    that a model learns from.
    """
    window, horizon = timedelta(spec.window_days), timedelta(spec.horizon_days)
    dates = [date.fromisoformat(text) for text in (*plan["train_dates"], plan["validation_date"]) if text]
    return [snapshot for snapshot in dates if snapshot - window < day <= snapshot + horizon]
