"""Parquet files with pages that can't be read, of which their footers say nothing: a job fails at them."""

from concurrent.futures import ThreadPoolExecutor

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from spark_jobs.cleaning.files import PARQUET, READERS, Inspection
from spark_jobs.cleaning.java_errors import causes, is_of_bytes, unreadable
from spark_jobs.cleaning.lines import known_path
from spark_jobs.cleaning.read_parquet import read_records

READING, DETAILS = "Encountered error while reading file ", ". Details:"  # as Spark says it


def damaged(spark: SparkSession, error: Py4JJavaError, found: list[Inspection]) -> dict[int, str]:
    """The files whose bytes have ended a job, by their numbers, and the reasons; empty where nothing but the
    job is to be tried again: what is wrong with the storage is not the file's fault.
    """
    *outer, last = causes(error.java_exception)
    if not is_of_bytes(last):
        return {}
    reading = [cause for cause in outer if str(cause.getMessage()).startswith(READING)]
    if not reading:
        return _damaged_alone(spark, found)
    spelled = reading[0].getMessage().removeprefix(READING).removesuffix(DETAILS)
    numbers = {file.path: number for number, file in enumerate(found)}
    number = numbers.get(known_path(spelled, numbers))  # none for what the job reads beside its files
    return {} if number is None else {number: unreadable(last)}


def _damaged_alone(spark: SparkSession, found: list[Inspection]) -> dict[int, str]:
    """The same of each file read alone: once a file has brought its first rows, Spark names it no more."""

    def reason(file: Inspection) -> str | None:
        try:
            read_records(spark, [(0, file)]).write.format("noop").mode("overwrite").save()
        except Py4JJavaError as error:
            last = causes(error.java_exception)[-1]
            if not is_of_bytes(last):
                raise
            return unreadable(last)
        return None

    usable = {number: file for number, file in enumerate(found) if file.format == PARQUET and not file.reason}
    with ThreadPoolExecutor(READERS) as pool:
        reasons = zip(usable, pool.map(reason, usable.values()), strict=True)
    return {number: told for number, told in reasons if told}
