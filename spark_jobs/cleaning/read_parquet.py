"""Parquet files of one schema, as rows of text with typed values beside them."""

import json

from pyspark.errors import AnalysisException
from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from medallion.contracts import Column, Contract
from spark_jobs.cleaning.files import Inspection, source_name
from spark_jobs.cleaning.lines import Numbered, paths, with_file
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.new_columns import extra_of, new_columns
from spark_jobs.cleaning.parsing import spark_type
from spark_jobs.cleaning.texts import nothing, select_texts, untyped

# As JSON has times, with every digit that Parquet has.
TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


def read_records(spark: SparkSession, group: Numbered) -> DataFrame:
    """Records: file, row (all columns), raw and size; a row has no text of its own, so raw is its JSON."""
    # Where a writer left checksums with its pages, what some bit has changed is not to pass for a value.
    found = spark.read.option("parquet.page.verify-checksum.enabled", "true").parquet(*paths(group))
    row = F.struct("*")  # whatever its columns are called
    rows = found.select(
        row.alias("row"),
        F.to_json(row, TIMES).alias("raw"),
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

    def text(name: str | None) -> Col:
        return nothing("string") if name is None else F.col("row")[fields[name].name].cast("string")

    def typed(column: Column) -> Col:
        name = source_name(layout.columns, column)
        if name is None or fields[name].dataType.simpleString() == "string":
            return untyped(column)
        field = fields[name]
        value = lossless(F.col("row")[field.name], field.dataType.simpleString(), column)
        try:
            records.select(value)
        except AnalysisException:  # no value of such a type can be one of the column's: its text tells
            return untyped(column)
        return value

    return select_texts(
        rows,
        contract,
        lambda column: text(source_name(layout.columns, column)),
        typed,
        fault=nothing("string"),
        extra=extra_of(new_columns(layout.columns, contract), text, contract),
    )


def lossless(value: Col, given: str, column: Column) -> Col:
    """A typed value in the type of its column; null where that would lose something of it."""
    wanted = spark_type(column)
    if given == "timestamp_ntz" and wanted == "timestamp":
        # A local time, as the contract's timezone has it.
        cast = F.to_utc_timestamp(value.cast("timestamp"), column.timezone)
        back = F.from_utc_timestamp(cast, column.timezone).cast(given)
    else:
        cast = value.cast(wanted)
        back = cast.cast(given)
    return F.when(back == value, cast)
