"""The real product on the emulators, by its real tasks and the real Spark job."""

from collections import Counter
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from local.spark_submit import file_systems
from medallion.odcs import load_contract, parse_contract
from spark_jobs import clean
from tests.dags.pipeline.orders import Pipeline

PRODUCT = "customer_transactions"
COLUMNS = [column.name for column in parse_contract(load_contract(PRODUCT), PRODUCT).stored_columns]


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
