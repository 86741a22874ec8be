"""Which snapshot dates a model is trained, stopped, tested and scored on."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from medallion.errors import MedallionError

# How far back features look, the snapshot's day included, and how far ahead the label looks. Features, label
# and score are named after these days (first_age_91, inactive_30d): they are no setting of a model.
WINDOW_DAYS = 91
HORIZON_DAYS = 30


class TooLittleHistoryError(MedallionError):
    """The history does not hold one training snapshot beside validation and test."""


@dataclass(frozen=True)
class SnapshotPlan:
    """The dates of a run; no split's label period reaches past the next split's snapshot.

    A run that only scores has a score_date and no others.
    """

    score_date: date
    test_date: date | None = None
    validation_date: date | None = None
    train_dates: tuple[date, ...] = ()

    @property
    def snapshot_dates(self) -> tuple[date, ...]:
        """All dates, ascending, as sql/gold/customer_features.sql expects them."""
        later = (self.validation_date, self.test_date, self.score_date)
        return (*self.train_dates, *(day for day in later if day is not None))


def plan_snapshots(first_date: date, last_date: date, spacing_days: int) -> SnapshotPlan:
    """The plan for a history from its first to its last date, both included.

    Test, validation and the last training snapshot follow each other back by one horizon; training
    snapshots go on back by the spacing while their window is full. Raises TooLittleHistoryError.
    """
    days = (last_date - first_date).days + 1
    needed = WINDOW_DAYS + 3 * HORIZON_DAYS
    if days < needed:
        raise TooLittleHistoryError(
            f"Training needs {needed} days of history, got {days} ({first_date} to {last_date}). "
            "Next: load more history, or leave the model untrained until it is there."
        )
    horizon, spacing = timedelta(HORIZON_DAYS), timedelta(spacing_days)
    last_train_date = last_date - 3 * horizon
    snapshots = (days - needed) // spacing_days + 1
    return SnapshotPlan(
        score_date=last_date,
        test_date=last_date - horizon,
        validation_date=last_date - 2 * horizon,
        train_dates=tuple(last_train_date - spacing * back for back in reversed(range(snapshots))),
    )


def taught_by(plan: Mapping[str, Any], day: date) -> list[date]:
    """The snapshots of a plan, as it was written down, whose features or labels looked at a date; of those
    that a model learns from.
    """
    window, horizon = timedelta(WINDOW_DAYS), timedelta(HORIZON_DAYS)
    dates = [date.fromisoformat(text) for text in (*plan["train_dates"], plan["validation_date"]) if text]
    return [snapshot for snapshot in dates if snapshot - window < day <= snapshot + horizon]


def written_plans(lake: Any, model: str) -> Iterator[tuple[str, datetime, dict[str, Any]]]:
    """Each plan of a model's runs: its folder's name, when it was written, and what it says.

    `lake` is a bucket of google.cloud.storage.
    """
    for blob in lake.list_blobs(match_glob=f"training/{model}/*/examples/_plan.json"):
        yield blob.name.split("/")[2], blob.time_created, json.loads(blob.download_as_bytes())
