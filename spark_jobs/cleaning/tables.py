"""Small tables that the driver knows, as data frames."""

import json

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F


def small_table(spark: SparkSession, rows: list[tuple], schema: str) -> DataFrame:
    """A handful of rows as a DataFrame. createDataFrame would start Python workers to read them back."""
    names = [column.split()[0] for column in schema.split(", ")]
    document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    parsed = F.from_json(F.lit(document), f"ARRAY<STRUCT<{schema.replace(' ', ': ').replace(',:', ',')}>>")
    return spark.range(1).select(F.inline(parsed))
