"""Parquet files of one schema, as rows of text with typed values beside them."""

import json
from dataclasses import replace
from functools import reduce
from operator import and_

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StructType

from medallion.contracts import Column, Contract
from spark_jobs.cleaning.files import Inspection
from spark_jobs.cleaning.lines import Numbered, paths, with_file
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.new_columns import extra_of, new_columns
from spark_jobs.cleaning.parsing import instant, spark_type
from spark_jobs.cleaning.texts import ENCODING, nothing, select_texts, untyped

# As JSON has times, with every digit that Parquet has.
TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
# Spark casts from kind to kind too: a time to a number, as its seconds since 1970. Such a value's text tells.
KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint", "float", "double", "decimal"), "number"),
    **dict.fromkeys(("date", "timestamp", "timestamp_ntz"), "time"),
    "boolean": "boolean",
}
BYTES = ("string", "binary")  # as whoever wrote them has it, which need not be UTF-8


def read_records(spark: SparkSession, group: Numbered) -> DataFrame:
    """Records: file, row (all columns), raw, is_utf8 (of raw) and size.

    A row has no text of its own, so that raw is its JSON.
    """
    # Where a writer left checksums with its pages, what some bit has changed is not to pass for a value.
    found = spark.read.option("parquet.page.verify-checksum.enabled", "true").parquet(*paths(group))
    row = F.struct("*")  # whatever its columns are called
    rows = found.select(
        row.alias("row"),
        F.to_json(row, TIMES).alias("raw"),
        F.lit(True).alias("is_utf8"),
        nothing("long").alias("size__"),
        F.input_file_name().alias("path"),
    )
    return with_file(spark, rows, found.inputFiles(), group)


def replayed_records(lines: DataFrame, layout: Inspection) -> DataFrame:
    """The same of lines whose raw is such JSON, by the schema of the file that it was read from."""
    schema = StructType.fromJson(json.loads(layout.header))
    return lines.withColumn("row", F.from_json("raw", schema, TIMES))


def read_parquet(records: DataFrame, layout: Inspection, contract: Contract, read: Read) -> DataFrame:
    """Texts of records, with typed values beside them."""
    rows = read.rows(records, F.lit(True))
    fields = {field.name.lower(): field for field in records.select("row.*").schema.fields}

    def value(name: str) -> Col:
        return F.col("row")[fields[name].name]

    def text(name: str | None) -> Col:
        if name is None:
            return nothing("string")
        nested = isinstance(fields[name].dataType, ArrayType | MapType | StructType)
        return F.to_json(value(name), TIMES) if nested else value(name).cast("string")

    def typed(column: Column) -> Col:
        name = column.source_in(layout.columns)
        if name is None:
            return untyped(column)
        given = fields[name].dataType.simpleString()
        if _kind(given) is None or _kind(given) != _kind(spark_type(column)):
            return untyped(column)
        return lossless(value(name), given, column)

    new = new_columns(layout.columns, contract)
    known = (column.source_in(layout.columns) for column in contract.read_columns)
    used = dict.fromkeys([*filter(None, known), *(new.values() if contract.evolves else ())])
    doubtful = (name for name in used if any(kind in fields[name].dataType.simpleString() for kind in BYTES))
    sound = (F.coalesce(_is_utf8(value(name)), F.lit(True)) for name in doubtful)
    return select_texts(
        rows,
        contract,
        lambda column: text(column.source_in(layout.columns)),
        typed,
        fault=F.when(~reduce(and_, sound, F.col("is_utf8")), ENCODING),
        extra=extra_of(new, text, contract),
    )


def lossless(value: Col, given: str, column: Column) -> Col:
    """A value in the type of its column, which is of its kind; null where that would lose something of it.

    A date, or a time without a zone, is a local time of the column's timezone. An infinity is no number.
    """
    wanted = spark_type(column)
    if wanted == "timestamp" and given != wanted:
        return instant(value.cast(wanted), replace(column, format=None))
    cast = value.cast(wanted)
    kept = cast.cast(given) == value
    return F.when(kept & (cast - cast == 0) if wanted == "double" else kept, cast)


def _is_utf8(value: Col) -> Col:
    text = value.cast("string")
    return F.decode(text.cast("binary"), "UTF-8") == text


def _kind(simple: str) -> str | None:
    """What a type's values are, by Spark's short name of it; None for a type whose texts tell."""
    return KINDS.get(simple.partition("(")[0])
