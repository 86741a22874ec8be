"""What BigQuery would read to refresh gold: the emulator tells no bytes, so that the analyzer's scans do."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from google.cloud import bigquery

from local.googlesql import Table, own_views, type_of
from local.sql_script import Script
from medallion.environments import Environment
from medallion.errors import MedallionError
from medallion.gold import refresh_script
from medallion.products import Product
from medallion.sql import literal, render

# Logical bytes of a value, by BigQuery's documentation on the size of data types; a text has 2 and its own.
WIDTHS = {"INT64": 8, "DOUBLE": 8, "NUMERIC": 16, "DATE": 8, "TIMESTAMP": 8, "BOOL": 1}


def bytes_read(
    client: bigquery.Client, product: Product, environment: Environment, run: str, dates: Sequence[date]
) -> Counter[str]:
    """Logical bytes that the refreshes of a run's gold tables read, by table: of the columns that they scan,
    in the partitions of these dates where the scan is bound to them, and in the whole table elsewhere.
    """
    silver, gold = (environment.datasets[name] for name in ("silver", "gold"))
    partitions = {f"{gold}.{table.table}": table.partition_by for table in product.gold}
    partitions[f"{silver}.{product.name}"] = product.partition_by
    tables = _ops_tables(environment) | own_views(gold)
    tables |= {name: _table(client, name, by) for name, by in partitions.items()}
    read: Counter[str] = Counter()
    for refreshed in product.gold:
        script = Script(refresh_script(product.name, refreshed, environment, run), tables, {})
        _expect_none(refreshed.table, script)
        tables = script.tables
        for scan, bound in script.scanned:
            name = scan.table.full_name
            if "." not in name:
                continue  # temporary, with the names of some runs, and dropped by the script
            by = partitions.get(name)
            condition = f"{by} IN UNNEST({literal(list(dates))})" if by in bound else "TRUE"
            widths = [_width(column.name, column.type.type_kind.name) for column in scan.column_list]
            told = f"SUM({' + '.join(map(str, widths or [0]))}) AS bytes"
            (row,) = _rows(client, f"SELECT {told} FROM `{name}` WHERE {condition}")
            read[name] += int(row["bytes"] or 0)
    return read


def _ops_tables(environment: Environment) -> dict[str, Table]:
    script = Script(render("ops/tables.sql", environment), own_views(environment.datasets["ops"]), {})
    _expect_none("ops/tables.sql", script)
    return script.tables


def _table(client: bigquery.Client, name: str, partition_by: str | None) -> Table:
    dataset, _, table = name.partition(".")
    view, named = f"{dataset}.INFORMATION_SCHEMA.COLUMNS", f"table_name = {literal(table)}"
    rows = _rows(client, f"SELECT column_name, data_type FROM {view} WHERE {named}")
    if not rows:
        raise MedallionError(f"{name}: expected a table, got none. Next: run the product first.")
    return Table({row["column_name"]: type_of(row["data_type"]) for row in rows}, partition_by)


def _rows(client: bigquery.Client, sql: str) -> list[Any]:
    return list(client.query(sql, retry=None, job_retry=None).result(retry=None, job_retry=None))  # type: ignore[arg-type]


def _expect_none(name: str, script: Script) -> None:
    problems = script.problems()
    if problems:
        raise MedallionError(f"{name}: expected sound SQL, got {problems}. Next: make check.")


def _width(column: str, kind: str) -> int | str:
    kind = kind.removeprefix("TYPE_")
    return f"2 + BYTE_LENGTH(`{column}`)" if kind == "STRING" else WIDTHS[kind]
