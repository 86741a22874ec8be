"""`make query`: GoogleSQL on the local warehouse, printed as a table, CSV or JSON."""

import argparse
import csv
import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from google.api_core.exceptions import GoogleAPICallError
from rich.console import Console
from rich.table import Column, Table

from local.cells import csv_cell, table_cell
from local.cloud import Cloud, local_cloud, running_cloud
from local.following import run_command
from local.paths import BIGQUERY
from medallion.errors import MedallionError

T = TypeVar("T")


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)

    def tell() -> None:
        try:
            rows = query(arguments.sql)
        except GoogleAPICallError as error:
            reason = error.errors[0]["message"] if error.errors else error.message
            raise MedallionError(f"{reason}\nNext: mend the SQL.") from error
        FORMATS[arguments.format](rows)

    return run_command(tell)


def query(sql: str) -> list[dict[str, Any]]:
    """Rows of a query; starts the emulator for it where none is up."""
    return on_kept_data(lambda cloud: cloud.query(sql))


def on_kept_data(ask: Callable[[Cloud], T]) -> T:
    """What `ask` finds in the cloud that is up, or in stand-ins that are started for it alone.

    Raises MedallionError when there is no data yet.
    """
    cloud = running_cloud()
    if cloud is not None:
        return ask(cloud)
    if not BIGQUERY.exists():
        raise MedallionError("There is no local warehouse yet. Next: make run.")
    with local_cloud(keep=True, with_airflow=False) as started:
        return ask(started)


def print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(
        *(Column(table_cell(name), overflow="fold") for name in (rows[0] if rows else ("no rows",)))
    )
    for row in rows:
        table.add_row(*map(table_cell, row.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def print_csv(rows: list[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout)
    for cells in [list(rows[0]) if rows else [], *(row.values() for row in rows)]:
        writer.writerow(map(csv_cell, cells))


def print_json(rows: list[dict[str, Any]]) -> None:
    print(json.dumps(rows, indent=1, default=str))


FORMATS = {"table": print_table, "csv": print_csv, "json": print_json}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make query", description=__doc__)
    parser.add_argument("sql")
    parser.add_argument("--format", choices=FORMATS, default="table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
