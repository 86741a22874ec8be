"""The way most teams write it: a typed read, dropDuplicates, filters, a count at every step, two writes."""

import logging
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from bench.cleaning.layout import COLUMNS, DERIVED, FIELDS, KEY, TIMESTAMP_FORMAT, file_schema
from bench.cleaning.spark import session

__all__ = ["clean", "session"]

log = logging.getLogger("usual")


def clean(spark: SparkSession, files: list[str], output: str) -> None:
    """Leaves valid/ and rejected/. A rejected row has neither its reasons nor its raw text."""
    rows = spark.read.csv(files, schema=file_schema(), header=True, timestampFormat=TIMESTAMP_FORMAT)
    rows = rows.withColumnsRenamed({field.source: field.column for field in FIELDS})
    _tell("read", rows)
    rows = rows.dropDuplicates(list(KEY))
    _tell("unique", rows)
    valid = rows.where(_is_valid())
    rejected = rows.where(~_is_valid())
    for name, expression in DERIVED.items():
        valid = valid.withColumn(name, F.expr(expression))
    _tell("valid", valid)
    _tell("rejected", rejected)
    valid.select(*COLUMNS).write.parquet(f"{output}/valid")
    rejected.write.parquet(f"{output}/rejected")


def _is_valid() -> Column:
    conditions = [F.col(field.column).isNotNull() for field in FIELDS]
    conditions += [F.col(field.column) >= field.minimum for field in FIELDS if field.minimum is not None]
    return reduce(Column.__and__, conditions)


def _tell(step: str, rows: DataFrame) -> None:
    log.info("step=%s rows=%d", step, rows.count())
