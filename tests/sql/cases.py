"""What the case of a gold table, tests/sql/gold/<table>.yaml, gives and expects."""

from decimal import Decimal
from typing import Any

import pytest
from google.cloud import bigquery

from medallion.sql import literal


def require_expected(warehouse: bigquery.Client, select: str, told: dict[str, Any]) -> None:
    """A table's SELECT makes what is expected, in the order of its first two columns, of what is given."""
    give(warehouse, told["given"])
    script = f"DECLARE touched ARRAY<DATE> DEFAULT {touched(told)};\n{select}\nORDER BY 1, 2"
    rows = [dict(row) for row in warehouse.query(script, job_retry=None).result()]
    assert list(rows[0]) == told["expected"]["columns"]
    for row, expected in zip(rows, told["expected"]["rows"], strict=True):
        assert list(row.values()) == [
            like(value, got) for value, got in zip(expected, row.values(), strict=True)
        ]


def give(warehouse: bigquery.Client, tables: dict[str, Any]) -> None:
    """Makes tables of the given rows."""
    for name, table in tables.items():
        warehouse.create_dataset(name.partition(".")[0], exists_ok=True)
        warehouse.query(f"CREATE OR REPLACE TABLE {name} ({table['columns']})").result()
        rows = ", ".join(f"({', '.join(map(literal, row))})" for row in table["rows"])
        warehouse.query(f"INSERT INTO {name} VALUES {rows}").result()


def touched(told: dict[str, Any]) -> str:
    return f"ARRAY<DATE>{literal(told['touched'])}"


def like(expected: Any, got: Any) -> Any:
    """A value of YAML in the type of the one that it is held against."""
    if isinstance(got, Decimal):
        return Decimal(str(expected))
    return pytest.approx(expected) if isinstance(got, float) else expected
