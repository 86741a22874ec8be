"""What every format is read to: rows of text, one for each column that a file brings."""

from collections.abc import Callable

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Column, Contract
from spark_jobs.cleaning.parsing import spark_type, trimmed

TEXT = "text__"  # prefix of the columns that hold what the file says
TYPED = "typed__"  # prefix of the columns that hold what a file with types says
SHAPE, ENCODING = "shape", "encoding"


def select_texts(
    rows: DataFrame,
    contract: Contract,
    text: Callable[[Column], Col],
    typed: Callable[[Column], Col] | None,
    fault: Col,
    extra: Col,
) -> DataFrame:
    """The rows in the shape that values are read from, whatever their format was.

    Columns: file (its number); raw (the row as read); fault (null, or the rule that a row breaks before it
    has columns); extra (a JSON object of the values of columns that the contract doesn't know, where it
    evolves); a text__ for each column to read; and a typed__ beside each, null where there is only text,
    unless `typed` is None.
    """
    columns = contract.read_columns
    return rows.select(
        "file__",
        "raw",
        fault.alias("fault__"),
        extra.alias("extra"),
        *(typed(column).alias(TYPED + column.name) for column in columns if typed),
        *(trimmed(text(column), column).alias(TEXT + column.name) for column in columns),
    )


def nothing(kind: str) -> Col:
    """Null of a type."""
    return F.lit(None).cast(kind)


def untyped(column: Column) -> Col:
    """The typed value of a column that has only text."""
    return nothing(spark_type(column))


def no_texts(spark: SparkSession, contract: Contract) -> DataFrame:
    """No rows, in the shape of those of select_texts."""
    rows = spark.range(0).select(nothing("int").alias("file__"), nothing("string").alias("raw"))
    none = nothing("string")
    return select_texts(rows, contract, lambda column: none, None, none, none)
