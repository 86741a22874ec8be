"""Judges whether the day's scores may be published: what was counted and limits in, findings out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Finding:
    """A check as ops.checks stores it: `severity` is fail (yesterday's scores stay) or warn."""

    name: str
    severity: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Day:
    """What gold.customer_daily says of a snapshot date.

    `newest_date` it holds, eligible `customers` on the snapshot date and the day before, `lines` of the
    snapshot date and of a mean date among the 28 before.
    """

    snapshot_date: date
    newest_date: date | None
    customers: int
    customers_before: int
    lines: int
    usual_lines: float


def judge(report: Mapping[str, Any], day: Day, limits: Mapping[str, float]) -> tuple[Finding, ...]:
    """Holds a scoring job's report (rows, customers, psi by name) and its day to a model file's `drift`."""
    return (*_counted(report, day, limits), *_shifted(report["psi"], limits))


def _counted(report: Mapping[str, Any], day: Day, limits: Mapping[str, float]) -> Iterator[Finding]:
    """What the index misses."""
    yield _fail(
        "newest_date",
        day.newest_date is not None and day.newest_date >= day.snapshot_date,
        f"expected orders up to the snapshot date {day.snapshot_date} at least, got up to {day.newest_date}",
    )
    yield _fail(
        "one_row_a_customer",
        report["rows"] == report["customers"] == day.customers,
        f"expected one row for each of {day.customers} eligible customers, "
        f"got {report['rows']} rows of {report['customers']}",
    )
    most = limits["max_customers_change"]
    change = abs(day.customers / day.customers_before - 1) if day.customers_before else float("inf")
    yield _fail(
        "eligible_customers",
        change <= most,
        f"expected {day.customers_before} of the day before, give or take {most:.0%}, got {day.customers}",
    )
    least = limits["min_lines_ratio"] * day.usual_lines
    yield _fail("lines", day.lines >= least, f"expected at least {least:.0f} of the date, got {day.lines}")


def _shifted(psi: Mapping[str, float], limits: Mapping[str, float]) -> Iterator[Finding]:
    for name, index in psi.items():
        kind = "score" if name == "score" else "feature"
        most, noted = limits[f"max_{kind}_psi"], limits[f"warn_{kind}_psi"]
        severity = "warn" if index <= most else "fail"
        bar = noted if severity == "warn" else most
        # Written so that NaN passes nothing.
        yield Finding(f"psi.{name}", severity, index <= bar, f"expected at most {bar:g}, got {index:.4f}")


def _fail(name: str, passed: bool, detail: str) -> Finding:
    return Finding(name, "fail", passed, detail)
