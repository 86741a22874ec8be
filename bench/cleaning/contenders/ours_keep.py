"""The cleaning job without the handling of duplicates, which is what its shuffle is for."""

from pyspark.sql import SparkSession

from bench.cleaning.contenders import ours
from bench.cleaning.spark import session

__all__ = ["clean", "session"]


def clean(spark: SparkSession, files: list[str], output: str) -> None:
    """Leaves what the job leaves; rows with one key are all valid."""
    ours.clean(spark, files, output, "--keep-duplicates")
