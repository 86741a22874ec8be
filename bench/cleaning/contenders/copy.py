"""Bare copy: typed CSV to Parquet, columns as in the files; what Spark can't be faster than."""

from pyspark.sql import SparkSession

from bench.cleaning.layout import TIMESTAMP_FORMAT, file_schema
from bench.cleaning.spark import session

__all__ = ["clean", "session"]


def clean(spark: SparkSession, files: list[str], output: str) -> None:
    """Writes every row to rows/; what a column's type can't hold becomes null."""
    rows = spark.read.csv(files, schema=file_schema(), header=True, timestampFormat=TIMESTAMP_FORMAT)
    rows.write.parquet(f"{output}/rows")
