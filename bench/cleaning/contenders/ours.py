"""The cleaning job, with every rule of the contract, run as from the command line."""

from pyspark.sql import SparkSession

from bench.cleaning.spark import session
from medallion.documents import CONF
from spark_jobs import clean as job

__all__ = ["clean", "session"]

CONTRACT = CONF / "contracts" / "customer_transactions.yaml"


def clean(spark: SparkSession, files: list[str], output: str, *options: str) -> None:
    """Leaves what the job leaves: rows/ and its counts. The job finds the session that is there."""
    job.main(["--contract", str(CONTRACT), "--input", *files, "--output", output, *options])
