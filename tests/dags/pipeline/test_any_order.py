"""Nothing lost, nothing twice: files in any order and grouping, by the real job, end with the same tables.

Spark, the DAG's tasks and the emulator do what they do in a run; Airflow's scheduler alone is left out.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowSkipException
from google.cloud import bigquery
from pyspark.sql import SparkSession

from local.sample import export_sample
from local.spark_submit import file_systems
from medallion.config import load_product
from medallion.contracts import load_contract, parse_contract
from spark_jobs import clean
from tests.dags.pipeline.conftest import Pipeline, drop_tables, make_environment

PRODUCT = "customer_transactions"
COLUMNS = [column.name for column in parse_contract(load_contract(PRODUCT), PRODUCT).stored_columns]
Feed = Callable[[str], "RealPipeline"]


class RealPipeline(Pipeline):
    """The real product, cleaned by the real job."""

    spark: SparkSession

    def clean(self, context: dict[str, Any]) -> None:
        for key, value in file_systems(self._buckets).items():
            hadoop = self.spark.sparkContext._jsc.hadoopConfiguration()
            hadoop.set(key.removeprefix("spark.hadoop."), value)
        clean._session()
        clean.clean(self.spark, self.manifest(context))

    def process(self) -> str:
        """One run over whatever is new, up to gold; returns its name."""
        context = self.discover()
        self.clean(context)
        self.publish(context)
        found = context["ti"].returned["discover"]
        self.refresh(found)
        return found["run"]

    def rows(self, select: str) -> Counter[tuple[Any, ...]]:
        """The multiset of a query's rows, by way of Parquet: their number is too great for the REST API."""
        name = f"compare/{abs(hash(select))}"
        uri = f"gs://{self.environment.buckets['lake']}/{name}/*.parquet"
        self._client.query(
            f"SELECT 1; EXPORT DATA OPTIONS (uri = '{uri}', format = 'PARQUET', overwrite = true) AS {select}"
        ).result()
        table = pq.read_table(self.path(uri.removesuffix("/*.parquet")))
        return Counter(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def everything(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """What readers see and what is kept aside, without run and generation, which tell of the way."""
        silver, quarantine, gold = (
            self.environment.datasets[name] for name in ("silver", "quarantine", "gold")
        )
        columns = ", ".join([*COLUMNS, "row_hash", "source_file"])
        told = {
            "silver": f"SELECT {columns} FROM {silver}.{PRODUCT}",
            "superseded": f"SELECT {columns} FROM {silver}.{PRODUCT}__superseded",
            "quarantine": "SELECT source_file, raw, TO_JSON_STRING(reasons) AS reasons "
            f"FROM {quarantine}.{PRODUCT} WHERE resolved_by IS NULL",
        }
        told |= {table.table: f"SELECT * FROM {gold}.{table.table}" for table in self.product.gold}
        return {name: self.rows(select) for name, select in told.items()}


@pytest.fixture
def feed(
    warehouse: bigquery.Client,
    bigquery_url: str,
    gcs_url: str,
    buckets: Path,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
) -> Feed:
    """Makes a warehouse of its own by a name, with nothing in it yet."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_url)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    monkeypatch.setenv("AIRFLOW_VAR_MEDALLION_RELEASE", "release")

    def make(name: str) -> RealPipeline:
        product = replace(load_product(PRODUCT), train=None, max_rejected_ratio=1.0)
        made = RealPipeline(product, make_environment(warehouse, f"_{name}"), warehouse, buckets)
        made.spark = spark
        return made

    return make


def split(days: int, parts: int, folder: Path) -> dict[str, str]:
    """The sample's first days in files that overlap, correct each other, repeat lines and have dirt."""
    chance = random.Random(5)
    lines = pd.concat(pd.read_csv(path, dtype=str) for path in export_sample(folder, days=days)).reset_index(
        drop=True
    )
    part = pd.Series([chance.randrange(parts) for _ in range(len(lines))])

    def some(share: float) -> pd.DataFrame:
        return lines.sample(frac=share, random_state=chance.randrange(1000))

    corrected = some(0.03)
    later = pd.to_timedelta([chance.choice((0, 1, 3600, 86_400 * 3)) for _ in corrected.index], unit="s")
    when = pd.to_datetime(corrected["transaction_timestamp"]) + later
    corrected = corrected.assign(
        sales_value="1.23", transaction_timestamp=when.dt.strftime("%Y-%m-%d %H:%M:%S")
    )
    files: dict[str, list[pd.DataFrame]] = {f"part-{n:02}.csv": [] for n in range(parts)}
    for name, own in zip(files, (lines[part == n] for n in range(parts)), strict=True):
        files[name] += [own, own.sample(frac=0.01, random_state=1)]  # a line twice in one file
    for extra in (corrected, some(0.03), some(0.01).assign(quantity="many")):
        at = pd.Series([chance.randrange(parts) for _ in extra.index], index=extra.index)
        for n, name in enumerate(files):
            files[name].append(extra[at == n])
    return {name: pd.concat(frames).to_csv(index=False) for name, frames in files.items()}


def land_in_some_order(pipeline: RealPipeline, files: dict[str, str], seed: int) -> int:
    """Lands and processes all files, a few of them once more, in groups; returns how many runs it took."""
    chance = random.Random(seed)
    order = [*files, *chance.sample(list(files), max(2, len(files) // 10))]
    chance.shuffle(order)
    runs = 0
    while order:
        size = chance.randint(1, max(1, len(files) // 2))
        group, order = order[:size], order[size:]
        for name in group:
            header, *lines = files[name].splitlines()
            pipeline.land(name, *lines, header=header)
        pipeline.process()
        runs += 1
        with pytest.raises(AirflowSkipException, match="Nothing new"):
            pipeline.discover()
    return runs


@pytest.mark.parametrize(
    ("days", "parts", "orders"),
    [pytest.param(2, 6, 2, id="short"), pytest.param(31, 40, 10, id="month", marks=pytest.mark.slow)],
)
def test_files_in_any_order_and_grouping_end_with_the_same_tables(
    feed: Feed, warehouse: bigquery.Client, tmp_path: Path, days: int, parts: int, orders: int
) -> None:
    files = split(days, parts, tmp_path)
    assert len(files) == parts
    first: dict[str, Counter[tuple[Any, ...]]] = {}
    for seed in range(orders):
        pipeline = feed(f"order_{days}_{seed}")
        assert land_in_some_order(pipeline, files, seed) >= 2
        found = pipeline.everything()
        first = first or found
        for table in first:
            assert sum(found[table].values()) > 0, table
            assert without_bucket(found[table]) == without_bucket(first[table]), (seed, table)
        drop_tables(warehouse, pipeline.environment)
    keys = {key[:2] for key in first["silver"]}
    assert len(keys) == sum(first["silver"].values())


def without_bucket(rows: Counter[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    """Rows whose URIs are names: each order has a bucket of its own."""
    names = Counter[tuple[Any, ...]]()
    for row, count in rows.items():
        is_uri = [isinstance(value, str) and value.startswith("gs://") for value in row]
        names[tuple(v.rpartition("/")[2] if uri else v for v, uri in zip(row, is_uri, strict=True))] += count
    return names
