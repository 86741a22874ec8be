"""Parquet files with pages that can't be read, of which their footers say nothing: a job fails at them."""

from collections.abc import Iterator
from typing import Any

from py4j.protocol import Py4JJavaError

from spark_jobs.cleaning.files import Inspection, first_line
from spark_jobs.cleaning.lines import known_path
from spark_jobs.cleaning.streams import CODECS

READING, DETAILS = "Encountered error while reading file ", ". Details:"  # as Spark says it
JAVA = ("java.", "jdk.", "sun.")
DECODERS = (
    *("org.apache.parquet.", "shaded.parquet.", "org.apache.spark.sql.execution.datasources.parquet."),
    *(CODECS, "org.xerial.snappy.", "com.github.luben.zstd."),
)


def damaged(error: Py4JJavaError, found: list[Inspection]) -> dict[int, str]:
    """The file whose bytes have ended a job, by its number, and the reason; empty where nothing but the job
    is to be tried again: what is wrong with the storage is not the file's fault.
    """
    causes = list(_causes(error.java_exception))
    reading = [cause for cause in causes if str(cause.getMessage()).startswith(READING)]
    if not reading or not _is_of_bytes(causes[-1]):
        return {}
    spelled = reading[0].getMessage().removeprefix(READING).removesuffix(DETAILS)
    numbers = {file.path: number for number, file in enumerate(found)}
    number = numbers.get(known_path(spelled, numbers))  # none for what the job reads beside its files
    return {} if number is None else {number: f"unreadable: {first_line(causes[-1].toString())}"}


def _causes(error: Any) -> Iterator[Any]:
    while error is not None:
        yield error
        error = error.getCause()


def _is_of_bytes(error: Any) -> bool:
    """Whether a decoder could not go on: it called nothing but Java's own code, and no storage."""
    callers = (frame.getClassName() for frame in error.getStackTrace())
    return next((name for name in callers if not name.startswith(JAVA)), "").startswith(DECODERS)
