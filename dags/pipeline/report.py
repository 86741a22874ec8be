"""report: a product's gold tables and the quality of its runs as one self-contained HTML page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from google.cloud import bigquery
from jinja2 import Environment as Jinja
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup

from medallion.environments import Environment
from medallion.products import Product
from medallion.sql import render
from pipeline import charts
from pipeline.figures import Agent, DailySales, Figures, PeakHour, Quality, RejectedFile, Run, Segment
from pipeline.work import labels

PERIOD = timedelta(days=365)
TIMEOUT_SECONDS = 60

# Gold tables that a page knows how to show: each has a query in sql/report/ and a section in the template.
SECTIONS: dict[str, type] = {
    "daily_sales": DailySales,
    "customer_segments": Segment,
    "peak_hours": PeakHour,
    "agent_performance": Agent,
}


def read_figures(client: bigquery.Client, environment: Environment, product: Product, run: str) -> Figures:
    """The figures of a product, over the year that ends on its newest business date, asked for by a run.

    Raises google.api_core.exceptions.GoogleAPICallError when a query fails, and
    concurrent.futures.TimeoutError when one takes longer than a minute.
    """

    def rows(sql: str, **parameters: date) -> list[dict[str, Any]]:
        config = bigquery.QueryJobConfig(
            labels=labels(product.name, "serve", run),
            query_parameters=[
                bigquery.ScalarQueryParameter("product", "STRING", product.name),
                *(bigquery.ScalarQueryParameter(key, "DATE", value) for key, value in parameters.items()),
            ],
        )
        # The task is tried again as a whole: retries here would only hide a dead server for ten minutes.
        bounds: dict[str, Any] = {"retry": None, "job_retry": None, "timeout": TIMEOUT_SECONDS}
        found = client.query(sql, job_config=config, **bounds).result(**bounds)
        return [dict(row.items()) for row in found]

    def figures(name: str, kind: type, **parameters: date) -> tuple[Any, ...]:
        return tuple(kind(**row) for row in rows(render(f"report/{name}.sql", environment), **parameters))

    values: dict[str, Any] = {"product": product.name, "partition_by": product.partition_by}
    newest = rows(render("pipeline/newest.sql", environment, **values))[0]["newest"]
    period = {"since": newest - PERIOD + timedelta(days=1), "until": newest} if newest else {}
    (quality,) = figures("quality", Quality)
    tables = {table.table for table in product.gold}
    return Figures(
        quality=quality,
        newest_date=newest,
        runs=figures("runs", Run),
        rejected_files=figures("rejected_files", RejectedFile),
        **{
            table: figures(table, kind, **period) if period else ()
            for table, kind in SECTIONS.items()
            if table in tables
        },
    )


def render_report(product_name: str, description: str, figures: Figures) -> str:
    """The page. The same figures give the same page, whenever it is made."""
    jinja = Jinja(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names, reasons and descriptions come from people and files
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(money=money, cents=cents, count=count, percent=percent, day=day, moment=moment)
    jinja.globals.update(
        charts=charts, tiles=tiles, months=months, peak=peak, total=total, ratio=ratio, share=share
    )
    jinja.globals.update(sales_chart=sales_chart, hours_chart=hours_chart)
    return jinja.get_template("report.html.j2").render(
        product_name=product_name, description=description, figures=figures
    )


@dataclass(frozen=True)
class Tile:
    """A headline number, its course by week, and its change lately (a ratio; None if too short to say)."""

    label: str
    value: str
    weeks: tuple[float, ...]
    change: float | None


def tiles(days: Sequence[DailySales]) -> list[Tile]:
    """Headline numbers of the period; the change is of the last 28 days against the 28 before."""
    measures = [
        ("Net sales", money, lambda part: float(total(part, "net_sales"))),
        ("Orders", count, lambda part: total(part, "orders")),
        ("Average order", cents, lambda part: ratio(part, "net_sales", "orders")),
        ("Discounts given", money, lambda part: float(total(part, "discounts"))),
    ]
    newest = days[-1].order_date
    age = [(newest - row.order_date).days for row in days]
    weeks = [
        [row for row, old in zip(days, age, strict=True) if old // 7 == week]
        for week in range(age[0] // 7, -1, -1)
    ]
    if len(weeks) > 1 and (age[0] + 1) % 7:
        weeks = weeks[1:]  # begun before the period: its sums would look like a drop
    last = [row for row, old in zip(days, age, strict=True) if old < 28]
    before = [row for row, old in zip(days, age, strict=True) if 28 <= old < 56]
    return [
        Tile(
            label,
            text(value(days)),
            tuple(value(week) for week in weeks),
            value(last) / value(before) - 1 if age[0] >= 55 and value(before) else None,
        )
        for label, text, value in measures
    ]


def sales_chart(days: Sequence[DailySales]) -> Markup:
    """Net sales of each day, described by their range and their best day."""
    best = max(days, key=lambda row: row.net_sales)
    return charts.line_chart(
        [(row.order_date, float(row.net_sales)) for row in days],
        f"Net sales by day, {day(days[0].order_date)} to {day(days[-1].order_date)}",
        f"{money(total(days, 'net_sales') / len(days))} on an average day. "
        f"The best day was {day(best.order_date)} with {money(best.net_sales)}.",
        money,
    )


def hours_chart(hours: Sequence[PeakHour]) -> Markup:
    """Orders by weekday and hour, described by the busiest."""
    top = peak(hours)
    return charts.heat_map(
        {(row.weekday, row.order_hour): row.orders for row in hours},
        "Orders by weekday and hour",
        f"Busiest on {charts.WEEKDAYS[top.weekday]}s at {charts.hour_name(top.order_hour)}.",
        lambda weekday, hour, orders: (
            f"{charts.WEEKDAYS[weekday]} {charts.hour_name(hour)}: {count(orders)} orders"
        ),
    )


def months(days: Iterable[DailySales]) -> dict[date, list[DailySales]]:
    """The days of each month, by its first."""
    found: dict[date, list[DailySales]] = {}
    for row in days:
        found.setdefault(row.order_date.replace(day=1), []).append(row)
    return found


def peak(hours: Sequence[PeakHour]) -> PeakHour:
    """The busiest hour; of equals the earliest."""
    return max(hours, key=lambda hour: hour.orders)


def total(rows: Iterable[Any], field: str) -> Any:
    """Sum of a field."""
    return sum(getattr(row, field) for row in rows)


def ratio(rows: Sequence[Any], part: str, whole: str) -> float:
    """Sum of a field over the sum of another; zero if there is nothing to divide by."""
    return share(total(rows, part), total(rows, whole))


def share(part: float | Decimal, whole: float | Decimal) -> float:
    """A part of a whole; zero if there is nothing to divide by."""
    return float(part) / float(whole) if whole else 0.0


def money(value: float | Decimal) -> str:
    """Whole dollars."""
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}"


def cents(value: float | Decimal) -> str:
    """Dollars and cents."""
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def count(value: int) -> str:
    """A number with thousands separated."""
    return f"{value:,}"


def percent(value: float) -> str:
    """A share as a percentage; one that is close to nothing or to all is not called that."""
    if 0 < value < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= value < 1 else f"{value:.1%}"


def day(value: date) -> str:
    """A date in words."""
    return f"{value.day} {value:%B %Y}"


def moment(value: datetime) -> str:
    """A time (UTC) in words."""
    return f"{value.day} {value:%b %Y, %H:%M} UTC"
