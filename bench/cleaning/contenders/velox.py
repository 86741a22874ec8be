"""The cleaning job, unchanged, on a native engine: Velox through Gluten."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession
from velox_spark import get_session, is_engaged, jdk

from bench.cleaning.contenders.ours import clean
from bench.cleaning.spark import CONF, JAVA_OPTIONS, MASTER
from spark_jobs import clean as job

__all__ = ["clean", "session"]

# Together what the other contenders have on the heap; the native engine works beside it.
HEAP, OFF_HEAP = "3g", "5g"
# Gluten 1.7.0 fails on a native inline() below a join: "Field not found: path#4. Available fields are: …".
NATIVE_CONF = {"spark.gluten.sql.columnar.generate": "false"}


@contextmanager
def session() -> Iterator[SparkSession]:
    """A session with the native engine. Raises NativeEngineUnavailable where this machine can't run it."""
    # Given anew, because a setting given to get_session takes the place of its own.
    options = " ".join([*jdk.jvm_options(jdk.check()), JAVA_OPTIONS])
    get_session(
        master=MASTER,
        offheap=OFF_HEAP,
        driver_memory=HEAP,
        require_native=True,
        quiet=True,
        extra_conf={**CONF, **NATIVE_CONF, "spark.driver.extraJavaOptions": options},
    )
    with job._session() as spark:
        if not is_engaged(spark):
            raise RuntimeError("expected the native engine, got plain Spark")
        yield spark
