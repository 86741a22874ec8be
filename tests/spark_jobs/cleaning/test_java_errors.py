"""What a Java error tells of a file."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.cleaning.java_errors import is_of_bytes

DECODER, STORAGE = (
    "org.apache.parquet.hadoop.ParquetFileReader",
    "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
)


@pytest.mark.parametrize(
    ("kind", "thrower", "of_bytes"),
    [
        ("RuntimeException", DECODER, True),
        ("RuntimeException", STORAGE, False),
        ("OutOfMemoryError", DECODER, False),
    ],
)
def test_an_error_of_bytes_is_an_exception_of_a_decoder(
    spark: SparkSession, kind: str, thrower: str, of_bytes: bool
) -> None:
    java: Any = spark._jvm.java.lang
    frames = spark.sparkContext._gateway.new_array(java.StackTraceElement, 2)
    frames[0] = java.StackTraceElement("java.nio.HeapByteBuffer", "get", None, 1)
    frames[1] = java.StackTraceElement(thrower, "read", None, 1)
    error = getattr(java, kind)("made")
    error.setStackTrace(frames)
    assert is_of_bytes(error) is of_bytes
