"""From texts to typed rows."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import DROP, Column, Contract
from spark_jobs.cleaning.parsing import parse, spark_type, storable
from spark_jobs.cleaning.privacy import stored_name
from spark_jobs.cleaning.rules import FOUND
from spark_jobs.cleaning.texts import TEXT, TYPED


def read_values(texts: DataFrame, contract: Contract) -> DataFrame:
    """Adds a typed value for each column of the contract; null where a text isn't one."""

    def value(name: str, parsed: Col) -> Col:
        if TYPED + name not in texts.columns:
            return parsed
        typed = F.when(~F.col(TEXT + name).isin(*contract.null_tokens), F.col(TYPED + name))
        return F.coalesce(typed, parsed)

    rows = texts.select(
        "*",
        *(
            value(column.name, parse(F.col(TEXT + column.name), column, contract.null_tokens)).alias(
                column.name
            )
            for column in contract.read_columns
        ),
    )
    rows = _storable(rows, contract.read_columns)
    for column in contract.derived_columns:
        rows = rows.withColumn(column.name, F.expr(column.expression or ""))
    return _storable(rows, contract.derived_columns)


def _storable(rows: DataFrame, columns: Sequence[Column]) -> DataFrame:
    """In a step of its own, so that Spark makes a value once and looks at it twice."""
    return rows.withColumns({column.name: storable(F.col(column.name), column) for column in columns})


def look_up(
    spark: SparkSession, rows: DataFrame, contract: Contract, folders: Mapping[str, str]
) -> DataFrame:
    """Adds a column for each reference: true where its key was found in the other dataset's Parquet files."""
    columns = {column.name: column for column in contract.columns}
    for reference in contract.references:
        key = F.col(reference.key).cast(spark_type(columns[reference.column]))
        keys = spark.read.parquet(folders[reference.dataset]).select(key.alias("key__")).distinct()
        keys = keys.withColumn(FOUND + reference.column, F.lit(True))
        rows = rows.join(keys, F.col(reference.column) == F.col("key__"), "left").drop("key__")
    return rows


def identify(rows: DataFrame, contract: Contract) -> DataFrame:
    """Adds key_hash, null for a rejected row, and row_hash, which depend on nothing but what is stored of the
    key and of the row.
    """
    # Derived columns follow from the others, unless one of those is dropped. A hash passes over what is null.
    dropped = any(column.protection == DROP for column in contract.columns)
    brought = [column for column in contract.stored_columns if dropped or column.expression is None]
    stored = [F.col(stored_name(column)) for column in brought]
    absent = [F.col(stored_name(column)).isNull() for column in brought if not column.required]
    key = [stored_name(column) for column in contract.columns if column.name in contract.key]
    key_hash = F.when(~F.col("rejected__"), F.xxhash64(*key))
    return rows.withColumns({"key_hash": key_hash, "row_hash": F.xxhash64(*stored, *absent, "extra")})
