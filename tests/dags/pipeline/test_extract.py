"""When a source is pulled, and for which period."""

from datetime import UTC, datetime
from typing import Any

import pytest

from medallion.config import load_environment, load_product
from pipeline.extract import extract, period_of
from pipeline.product import product_dag

MIDNIGHT = datetime(2026, 1, 31, 3, 30, tzinfo=UTC)  # and the evening before in New York


@pytest.mark.parametrize(
    ("period", "timezone", "expected"),
    [
        ("day", "UTC", "2026-01-31"),
        ("day", "America/New_York", "2026-01-30"),
        ("hour", "America/New_York", "2026-01-31T03"),
    ],
)
def test_a_period_is_a_business_date_or_an_hour_in_utc(period: str, timezone: str, expected: str) -> None:
    assert period_of(MIDNIGHT, period, timezone) == expected


@pytest.mark.parametrize("asked", ["replay", "backfill", "forget"])
def test_a_run_for_another_purpose_pulls_nothing(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    pulled: list[Any] = []
    monkeypatch.setattr("pipeline.extract.pull_source", lambda *arguments: pulled.append(arguments) or 0)
    pull = product_dag(load_product("weather"), load_environment("local")).get_task("extract").python_callable
    params = dict.fromkeys(("replay", "backfill", "forget"))
    assert pull(params={**params, asked: {}}, logical_date=MIDNIGHT) == 0
    assert pulled == []
    pull(params=params, logical_date=MIDNIGHT)
    assert len(pulled) == 1


def test_files_land_by_themselves() -> None:
    assert extract(load_product("sales"), load_environment("local")) is None
