"""From a run's usable files, or a replay's rows, to rows of text."""

from collections import defaultdict
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.files import CSV, PARQUET
from spark_jobs.cleaning.lines import LINE_LIMIT, Numbered, read_lines
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.read_csv import read_csv
from spark_jobs.cleaning.read_json import read_json
from spark_jobs.cleaning.read_parquet import read_parquet, read_records, replayed_records
from spark_jobs.cleaning.texts import no_texts, nothing


def read_texts(
    spark: SparkSession, usable: Numbered, contract: Contract, read: Read, replay: str | None = None
) -> DataFrame:
    """Rows of the usable files in the shape of `select_texts`, counted by `read`.

    Where `replay` is given, the rows come from its JSON lines, {"file": number, "raw": text, "is_utf8":
    whether it is all that the file said}, and the files tell only how to read them.
    """
    typed = any(found.format != CSV for _, found in usable)
    layouts: dict[tuple[str, str], Numbered] = defaultdict(list)
    for number, found in usable:
        layouts[found.format, found.header].append((number, found))

    def texts(group: Numbered) -> DataFrame:
        _, layout = group[0]
        if layout.format == PARQUET and not replay:
            return read_parquet(read_records(spark, group), layout, contract, read)
        multiline = contract.multiline and layout.format == CSV
        lines = _replayed(spark, replay, group) if replay else read_lines(spark, group, multiline)
        if layout.format == PARQUET:
            return read_parquet(replayed_records(lines, layout), layout, contract, read)
        if layout.format == CSV:
            return read_csv(lines, layout, contract, typed, read)
        return read_json(lines, contract, read)

    frames = [texts(group) for group in layouts.values()]
    return reduce(DataFrame.unionByName, frames) if frames else no_texts(spark, contract)


def _replayed(spark: SparkSession, uri: str, group: Numbered) -> DataFrame:
    """The replayed rows of some files as lines; a row of a Parquet file is its JSON."""
    # Escaped, or as the JSON of a Parquet file's row, raw may be longer than any line of a file.
    reader = spark.read.option(LINE_LIMIT, str(2**31 - 1))
    # BigQuery writes integers as texts.
    rows = reader.schema("file STRING, raw STRING, is_utf8 BOOLEAN").json(uri)
    rows = rows.withColumn("file__", F.col("file").cast("int"))
    rows = rows.where(F.col("file__").isin([number for number, _ in group]))
    return rows.select("file__", "raw", "is_utf8", nothing("long").alias("size__"))
