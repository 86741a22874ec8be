"""The tables of ops, as each deployment makes them, and mends those of an earlier one."""

from dataclasses import replace

from google.cloud import bigquery

from medallion.environments import load_environment
from medallion.sql import render

NULLABLE = """SELECT table_name, column_name FROM earlier.INFORMATION_SCHEMA.COLUMNS
WHERE is_nullable = 'YES' AND table_name != 'status'"""


def test_tables_of_an_earlier_release_gain_nullable_columns(warehouse: bigquery.Client) -> None:
    local = load_environment("local")
    sql = render("ops/tables.sql", replace(local, datasets={**local.datasets, "ops": "earlier"}))
    warehouse.create_dataset("earlier")
    warehouse.query(sql).result()
    added = [tuple(row.values()) for row in warehouse.query(NULLABLE).result()]
    tables = {table for table, _ in added}
    assert {("files", "dates"), ("erasures", "files_kept"), ("incidents", "closed_at")} < set(added)

    def columns() -> dict[str, set[tuple[str, str, str]]]:
        found = {table: warehouse.query(f"SELECT * FROM earlier.{table}").result() for table in tables}
        return {
            table: {(field.name, field.field_type, field.mode) for field in rows.schema}
            for table, rows in found.items()
        }

    whole = columns()
    warehouse.query("DROP VIEW earlier.status").result()
    for table, column in added:
        warehouse.query(f"ALTER TABLE earlier.{table} DROP COLUMN {column}").result()
    warehouse.query("INSERT INTO earlier.documents VALUES ('sales', 'customers', '1')").result()
    assert sum(map(len, whole.values())) - sum(map(len, columns().values())) == len(added)
    warehouse.query(sql).result()
    assert columns() == whole
    (row,) = warehouse.query("SELECT document, fingerprint FROM earlier.documents").result()
    assert tuple(row.values()) == ("1", None)
