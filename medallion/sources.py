"""Where a product's rows come from: files that land, an HTTP API, or a table of a database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

PERIOD = "{period}"  # stands in a query for the period that is asked for


@dataclass(frozen=True)
class FileSource:
    """Whatever lands in bronze under the product's name."""


@dataclass(frozen=True)
class Pages:
    """How an answer of several pages goes on: `next` is where an answer says what follows, by names with
    points between; that is a value of the query's `parameter`, or without one a URL.
    """

    next: str
    parameter: str | None = None


@dataclass(frozen=True)
class HttpSource:
    """An API that is asked once a period for each of its `parts`, the parameters by the part's name.

    `connection` is Airflow's, and so is `variable`, whose values take the place of these where there is one.
    `label` is what the parts are called; without one there is a single part.
    """

    connection: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    label: str | None = None
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: Pages | None = None
    max_per_minute: int | None = None
    period: str = "day"
    variable: str | None = None

    @property
    def by_period(self) -> bool:
        """Whether the API is asked for a period, which no run of another one brings."""
        asked = (self.query, *self.parts.values())
        return any(PERIOD in str(value) for parameters in asked for value in parameters.values())


@dataclass(frozen=True)
class SqlSource:
    """A table of a MySQL database: as a whole once a period, or by a `watermark`.

    That is a DATETIME or TIMESTAMP column which grows with each change of a row; rows that appear up to
    `overlap_minutes` late are found as well. `connection` is Airflow's and names the database; `variable` is
    Airflow's too, and its values take the place of these where there is one.
    """

    connection: str
    table: str
    watermark: str | None = None
    overlap_minutes: int = 0
    period: str = "day"
    variable: str | None = None


Source = FileSource | HttpSource | SqlSource


def period_of(moment: datetime, period: str, timezone: str) -> str:
    """The business date of a moment, or its hour in UTC, for there a clock shows none twice."""
    if period == "hour":
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d}"


def parse_source(data: dict[str, Any]) -> Source:
    """The source that a product file describes, which fits its schema."""
    options = {key: value for key, value in data.items() if key not in ("type", "each", "pages", "watermark")}
    match data["type"]:
        case "http":
            label = next(iter(data.get("each", {})), None)
            parts = data["each"][label] if label else {}
            pages = Pages(**data["pages"]) if "pages" in data else None
            return HttpSource(**options, label=label, parts=parts, pages=pages)
        case "sql":
            watermark = data.get("watermark", {})
            return SqlSource(
                **options,
                watermark=watermark.get("column"),
                overlap_minutes=watermark.get("overlap_minutes", 0),
            )
        case _:
            return FileSource()
