"""`make status`: what a person on call wants to know of every product, and the next command to type."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.api_core.exceptions import NotFound
from rich.console import Console
from rich.table import Column, Table

from local.cells import table_cell
from local.cloud import Cloud, running_cloud
from local.following import run_command, say
from local.products import products_that_load
from local.query import on_kept_data
from medallion.deadlines import due_before, last_deadline, not_shown
from medallion.errors import MedallionError
from medallion.products import ASKED, Product
from medallion.sql import render

Rows = list[dict[str, Any]]
COUNTS = ("rows_read", "rows_valid", "rows_rejected", "rows_duplicate")
WIDTH = 100
NEVER = "never published"


def main(argv: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="make status", description=__doc__).parse_args(argv)

    def tell(cloud: Cloud) -> None:
        products = products_that_load(say)
        up = running_cloud()
        now = datetime.now(UTC)
        print_status(read_status(cloud, products, now), now, up.airflow_url if up else None)

    return run_command(lambda: on_kept_data(tell))


def read_status(cloud: Cloud, products: list[Product], now: datetime) -> dict[str, Rows]:
    """Products with their state, newest run and deadline; runs, rejected rows by rule, and open incidents.

    Raises MedallionError where the warehouse is older than the tables that are asked.
    """
    ops = cloud.environment.datasets["ops"]
    try:
        known = {row["product"]: row for row in cloud.query(f"SELECT * FROM `{ops}.status`")}
    except NotFound as error:
        raise MedallionError(
            f"{error.message}: the warehouse knows no incidents. Next: make run KEEP=1."
        ) from error
    names = dict.fromkeys([*(product.name for product in products), *known])
    blank = {"state": NEVER, "run": None, "published_at": None, **dict.fromkeys(COUNTS)}
    deadlines = {product.name: _deadline(cloud, product, now) for product in products}
    published = [product for product in products if known.get(product.name, blank)["run"]]
    return {
        "products": [
            {**blank, **known.get(name, {}), "product": name, "deadline": deadlines.get(name, "")}
            for name in names
        ],
        "runs": cloud.query(render("status/runs.sql", cloud.environment)),
        "rejected": [row for product in published for row in _ask(cloud, "rejected", product=product.name)],
        "incidents": _ask(cloud, "incidents"),
    }


def print_status(status: dict[str, Rows], now: datetime, airflow_url: str | None) -> None:
    """Prints the status on 100 columns; Airflow's page, where it is up, is where a run is tried again."""
    console = Console(width=WIDTH)
    table = _table("Products", ("product", "state", "published", "deadline"))
    for row in status["products"]:
        table.add_row(row["product"], row["state"], _ago(row["published_at"], now), row["deadline"])
    console.print(table)
    table = _table("Newest runs", ("product", "run", "published"), [name[5:] for name in COUNTS])
    for row in status["runs"]:
        counts = [f"{row[name]:,}" for name in COUNTS]
        table.add_row(row["product"], row["run"], _ago(row["published_at"], now), *counts)
    console.print(table)
    if status["rejected"]:
        table = _table("Rejected, by rule", ("product", "rule", "column"), ("rows",))
        for row in status["rejected"]:
            shown = (row["product"], row["rule"], row["column_name"], f"{row['rejected']:,}")
            table.add_row(*map(table_cell, shown))
        console.print(table)
    for row in status["incidents"]:
        rows = "" if row["offending_rows"] is None else f", {row['offending_rows']:,} rows"
        since = f"since {row['opened_at']:%Y-%m-%d %H:%M} UTC"
        console.print(f"{row['product']}: {row['incident']}{rows}, {since}", style="bold", markup=False)
        console.print(table_cell(row["detail"][:500]))
        print(f"Next: {next_command(row['incident'], row['command'], airflow_url)}\n")
    if not status["incidents"]:
        new = next((row["product"] for row in status["products"] if row["state"] == NEVER), None)
        told = f"Next: make run PRODUCT={new} KEEP=1" if new else "Next: nothing."
        print(f"No incident is open. {told}")


def next_command(incident: str, command: str, airflow_url: str | None) -> str:
    """An incident's command as it is typed on the laptop, where an Airflow starts without runs to clear."""
    if command.startswith("SELECT "):
        return f'make query SQL="{command}"'
    *words, dag = command.split()
    which = f"{dag} with the logical date {words[-1]}" if "--logical-date" in words else dag
    if airflow_url:
        done = "clear the failed tasks of" if words[:3] == ["airflow", "tasks", "clear"] else "trigger"
        return f"{done} {which} at {airflow_url}/dags/{dag}"
    if which != dag:
        return f"make up, then trigger {which} on Airflow's page"
    asked = incident.removeprefix("failure.")
    if asked in ASKED:
        return f"make {asked} PRODUCT={dag}, with what it was given"
    return f"make run PRODUCT={_trained_by(dag)} KEEP=1"


def _trained_by(dag: str) -> str:
    """The product whose run triggers a model's DAG; of a product, itself."""
    trained = {product.train: product.name for product in products_that_load()}
    return trained.get(dag, dag)


def _ask(cloud: Cloud, template: str, **values: Any) -> Rows:
    return cloud.query(render(f"status/{template}.sql", cloud.environment, **values))


def _deadline(cloud: Cloud, product: Product, now: datetime) -> str:
    """A product's deadline, and whether the run that it is about was shown."""
    schedule = product.schedule
    if schedule is None or schedule.deadline is None:
        return ""
    due = due_before(schedule, last_deadline(schedule, now))
    tables = [table.table for table in product.gold]
    shown = cloud.query(render("incidents/shown.sql", cloud.environment, product=product.name, tables=tables))
    return f"{schedule.deadline} {'missed' if not_shown(shown, due) else 'met'}"


def _table(title: str, texts: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    columns = [Column(name, overflow="fold") for name in texts]
    columns += [Column(name, justify="right") for name in numbers]
    return Table(*columns, title=f"\n{title}", title_justify="left", box=None, padding=(0, 2, 0, 0))


def _ago(moment: datetime | None, now: datetime) -> str:
    """How long ago something was, in the greatest unit of which it is two or more."""
    if moment is None:
        return ""
    minutes = max(int((now - moment).total_seconds() // 60), 0)
    for unit, length in (("d", 24 * 60), ("h", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length} {unit} ago"
    return f"{minutes} min ago"


if __name__ == "__main__":
    sys.exit(main())
