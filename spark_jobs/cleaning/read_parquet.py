"""Parquet files of one schema, as rows of text with typed values beside them."""

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Column, Contract
from spark_jobs.cleaning.files import Inspection, source_name
from spark_jobs.cleaning.lines import Numbered, paths, with_file
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.new_columns import extra_of, new_columns
from spark_jobs.cleaning.parsing import spark_type
from spark_jobs.cleaning.texts import nothing, select_texts, untyped


def read_records(spark: SparkSession, group: Numbered) -> DataFrame:
    """Records: file, row (all columns), raw and size; a row has no text of its own, so raw is its JSON."""
    found = spark.read.parquet(*paths(group))
    row = F.struct("*")  # whatever its columns are called
    rows = found.select(
        row.alias("row"),
        F.to_json(row).alias("raw"),
        nothing("long").alias("size__"),
        F.input_file_name().alias("path"),
    )
    return with_file(spark, rows, found.inputFiles(), group)


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
        return lossless(F.col("row")[field.name], field.dataType.simpleString(), column)

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
