"""What a Java error tells of a file."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.cleaning.java_errors import is_of_bytes

DECODER, UNPACKER, STORAGE = (
    "org.apache.parquet.hadoop.ParquetFileReader",
    "org.apache.hadoop.io.compress.DecompressorStream",
    "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
)


@pytest.mark.parametrize(
    ("kind", "thrower", "of_bytes"),
    [
        ("lang.RuntimeException", DECODER, True),
        ("lang.RuntimeException", STORAGE, False),
        ("lang.OutOfMemoryError", DECODER, False),
        ("io.EOFException", UNPACKER, True),
        ("io.EOFException", STORAGE, False),
    ],
)
def test_an_error_of_bytes_is_an_exception_of_a_decoder(
    spark: SparkSession, kind: str, thrower: str, of_bytes: bool
) -> None:
    java: Any = spark._jvm.java
    frame = java.lang.StackTraceElement
    frames = spark.sparkContext._gateway.new_array(frame, 2)
    frames[0] = frame("java.nio.HeapByteBuffer", "get", None, 1)
    frames[1] = frame(thrower, "read", None, 1)
    package, _, name = kind.partition(".")
    error = getattr(getattr(java, package), name)("made")
    error.setStackTrace(frames)
    assert is_of_bytes(error) is of_bytes
