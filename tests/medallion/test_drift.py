import math
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from medallion.drift import Day, judge
from medallion.models import load_model

LIMITS = load_model("customer_churn").drift
REPORT: dict[str, Any] = {"rows": 2300, "customers": 2300, "psi": {"recency_days": 0.01, "score": 0.01}}
DAY = Day(
    snapshot_date=date(2017, 12, 31),
    newest_date=date(2017, 12, 31),
    customers=2300,
    customers_before=2300,
    lines=4000,
    usual_lines=4000,
)


def missed(report: dict[str, Any] | None = None, **day: Any) -> dict[str, str]:
    """Severities of what did not pass."""
    findings = judge(REPORT | (report or {}), replace(DAY, **day), LIMITS)
    return {finding.name: finding.severity for finding in findings if not finding.passed}


def test_a_day_like_others_passes_every_check() -> None:
    names = [finding.name for finding in judge(REPORT, DAY, LIMITS)]
    assert names == [
        "newest_date",
        "one_row_a_customer",
        "eligible_customers",
        "lines",
        "psi.recency_days",
        "psi.score",
    ]
    assert missed() == {}


@pytest.mark.parametrize(
    ("name", "index", "severity"),
    [
        ("recency_days", 0.051, "warn"),
        ("recency_days", 0.101, "fail"),
        ("recency_days", math.nan, "fail"),
        ("score", 0.021, "warn"),
        ("score", 0.101, "fail"),
    ],
)
def test_a_shift_is_noted_and_a_large_one_blocks(name: str, index: float, severity: str) -> None:
    assert missed({"psi": {**REPORT["psi"], name: index}}) == {f"psi.{name}": severity}


def test_a_shift_at_the_bar_passes() -> None:
    assert missed({"psi": {"recency_days": 0.05, "score": 0.02}}) == {}


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ({"newest_date": None}, "newest_date"),
        ({"newest_date": date(2017, 12, 30)}, "newest_date"),
        ({"customers_before": 2380}, "eligible_customers"),
        ({"customers_before": 2225}, "eligible_customers"),
        ({"customers_before": 0}, "eligible_customers"),
        ({"lines": 1599}, "lines"),
    ],
)
def test_what_the_index_misses_blocks(day: dict[str, Any], name: str) -> None:
    assert missed(**day) == {name: "fail"}


@pytest.mark.parametrize("report", [{"rows": 2301}, {"customers": 2299}, {"rows": 2299, "customers": 2299}])
def test_each_eligible_customer_has_one_row(report: dict[str, Any]) -> None:
    assert missed(report) == {"one_row_a_customer": "fail"}


def test_a_finding_tells_what_was_expected_and_found() -> None:
    details = {finding.name: finding.detail for finding in judge(REPORT, replace(DAY, lines=7), LIMITS)}
    assert details["lines"] == "expected at least 1600 of the date, got 7"
    assert details["psi.score"] == "expected at most 0.02, got 0.0100"
