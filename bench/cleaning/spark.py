"""The Spark that all contenders share: one session, with the settings of the cleaning job."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from spark_jobs import clean

MASTER = "local[2]"
MEMORY = "8g"
JAVA_OPTIONS = "-XX:+UseParallelGC -XX:-DontCompileHugeMethods"
CONF = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
}


@contextmanager
def session() -> Iterator[SparkSession]:
    """A session for one measurement; it ends with its process."""
    builder = SparkSession.builder.master(MASTER)
    for key, value in CONF.items():
        builder = builder.config(key, value)
    builder = builder.config("spark.driver.memory", MEMORY)
    builder.config("spark.driver.extraJavaOptions", JAVA_OPTIONS).getOrCreate()
    with clean._session() as spark:
        yield spark
