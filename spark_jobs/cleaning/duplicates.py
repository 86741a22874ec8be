"""Duplicates: of a run's valid rows with one key, all but the newest.

Looked for among the rows as they were written, where reading the hashes of their keys takes little. Few keys
come twice, so that few rows move between executors; a window over all rows would move and sort everything.
"""

from collections import Counter

from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.files import no_pattern
from spark_jobs.cleaning.metrics import Marked


def mark_duplicates(
    spark: SparkSession, uri: str, scratch: str, contract: Contract, files: int
) -> Counter[int]:
    """Adds a row for each duplicate to the written ones, with nothing but its file__ and row__.

    Returns how many there are, by the number of their file of so many. `scratch` takes the keys that come
    twice.
    """
    rows, counted = spark.read.parquet(no_pattern(uri)), Observation()
    keys = repeated_keys(rows).observe(counted, F.count(F.lit(1)).alias("keys"))
    keys.write.mode("overwrite").parquet(scratch)
    if not counted.get["keys"]:
        return Counter()
    # Of files Spark knows how small they are, and looks the keys up where the rows are.
    repeated = spark.read.parquet(no_pattern(scratch))
    marked = Marked(files)
    found = marked.rows(find_duplicates(rows, repeated, contract))
    marks = rows.where("false").unionByName(found, allowMissingColumns=True)
    marks.write.mode("append").parquet(uri)
    return marked.rows_by_file


def repeated_keys(rows: DataFrame) -> DataFrame:
    """key_hash, wherever several valid rows have it."""
    return (
        rows.where("key_hash IS NOT NULL").groupBy("key_hash").count().where("count > 1").select("key_hash")
    )


def find_duplicates(rows: DataFrame, repeated: DataFrame, contract: Contract) -> DataFrame:
    """file__ and row__ of all rows but the newest of their key, by the contract's order.

    Ties go to the greater row_hash, so that any order of arrival ends with the same row; then to the later
    file, which decides between equal rows only.
    """
    newest = Window.partitionBy(*contract.key).orderBy(
        F.desc(contract.order_by), F.desc("row_hash"), F.desc("file__")
    )
    told = rows.select(*{*contract.key, contract.order_by, "key_hash", "row_hash", "file__", "row__"})
    found = told.join(repeated, "key_hash", "left_semi").withColumn("place", F.row_number().over(newest))
    return found.where("place > 1").select("file__", "row__")
