"""The lines of many text files, each with the number of its file."""

import re
from collections.abc import Container
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from medallion.contracts import MAX_RECORD_LINES
from medallion.errors import MedallionError
from spark_jobs.cleaning.files import Inspection, no_pattern
from spark_jobs.cleaning.tables import small_table

LINE_LIMIT = "mapreduce.input.linerecordreader.line.maxlength"

Numbered = list[tuple[int, Inspection]]


def read_lines(spark: SparkSession, group: Numbered, multiline: bool = False) -> DataFrame:
    """file, raw, is_utf8 and size (bytes with the line's end) of each line; of each record, where a record
    may go over several lines.
    """
    # With \n alone as separator, a carriage return stays at its line, and the bytes add up to the file's.
    read = spark.read.option("lineSep", "\n").text(paths(group))
    text = read.select(
        F.coalesce("value", F.lit("")).alias("value"),  # never null, which makes for shorter code
        (F.octet_length("value") + 1).cast("long").alias("size__"),
        F.struct(F.expr("input_file_block_start()"), F.monotonically_increasing_id()).alias("place"),
        F.input_file_name().alias("path"),
    )
    lines = with_file(spark, text, read.inputFiles(), group)
    # Spark keeps whatever bytes a line has, and neither Parquet's readers nor BigQuery take all of them.
    decoded = F.decode(F.col("value").cast("binary"), "UTF-8")
    lines = lines.select(
        "file__", "size__", "place", decoded.alias("raw"), (decoded == F.col("value")).alias("is_utf8")
    )
    lines = _join_records(lines) if multiline else lines.drop("place")
    without_return = F.expr("substring(raw, 1, length(raw) - 1)")
    return lines.withColumn(
        "raw", F.when(F.endswith("raw", F.lit("\r")), without_return).otherwise(F.col("raw"))
    )


def _join_records(lines: DataFrame) -> DataFrame:
    """Joins the lines of a record whose quoted field goes over several; it ends where quotes are paired."""
    quotes = F.length("raw") - F.length(F.replace("raw", F.lit('"'), F.lit("")))
    in_file = Window.partitionBy("file__").orderBy("place")
    before = F.sum(quotes).over(in_file.rowsBetween(Window.unboundedPreceding, -1))
    begins = (F.coalesce(before, F.lit(0)) % 2 == 0).cast("int")
    records = lines.withColumn("begins", begins).withColumn("record", F.sum("begins").over(in_file))
    in_record = Window.partitionBy("file__", "record").orderBy("place")
    piece = F.floor((F.row_number().over(in_record) - 1) / MAX_RECORD_LINES)
    ordered = F.array_sort(F.collect_list(F.struct("place", "raw")))
    return (
        records.withColumn("piece", piece)
        .groupBy("file__", "record", "piece")
        .agg(
            F.array_join(F.transform(ordered, lambda line: line["raw"]), "\n").alias("raw"),
            F.min("is_utf8").alias("is_utf8"),
            F.sum("size__").alias("size__"),
        )
    )


def count_bytes(spark: SparkSession, group: Numbered) -> dict[int, int]:
    """Bytes that Spark finds in each file, a byte for each line's end included; a scan of its own."""
    counted = read_lines(spark, group).groupBy("file__").agg(F.sum("size__")).collect()
    return dict(map(tuple, counted))


def with_file(spark: SparkSession, rows: DataFrame, listed: list[str], group: Numbered) -> DataFrame:
    """Rows with the number of their file instead of its path; `listed` are the paths as Spark spells them."""
    numbers = {inspection.path: number for number, inspection in group}
    known = [(path, numbers[known_path(path, numbers)]) for path in listed]
    if len(known) != len(numbers):
        raise MedallionError(f"Spark lists {len(known)} of {len(numbers)} files and would lose the rest.")
    files = small_table(spark, known, "known STRING, file__ INT")
    files = files.select("file__", F.xxhash64("known").alias("hash"))
    # Spark looks up a number many times faster than a text.
    joined = rows.withColumn("hash", F.xxhash64("path")).join(F.broadcast(files), "hash", "left")
    # A left join with a guard: an inner one would lose a file's rows in silence if two spellings differed.
    unknown = F.raise_error(F.concat(F.lit("row of a file that is not in the manifest: "), "path"))
    return joined.withColumn("file__", F.coalesce("file__", unknown.cast("int"))).drop("path", "hash")


def paths(group: Numbered) -> list[str]:
    """Where Spark reads files."""
    return [no_pattern(inspection.path) for _, inspection in group]


def known_path(listed: str, known: Container[str]) -> str:
    """A path as it is known, of Spark's spelling: with %-escapes, and file:/ before a plain one."""
    path = unquote(listed)
    return path if path in known else re.sub(r"^file:/+", "/", path)
