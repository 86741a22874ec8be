"""Small tables that the driver knows, as data frames."""

import json

from pyspark.sql import DataFrame, SparkSession


def small_table(spark: SparkSession, rows: list[tuple], schema: str) -> DataFrame:
    """A handful of rows as a DataFrame.

    createDataFrame would start Python workers to read them back, and spark.range Scala's reflection, which
    takes a new process half a second.
    """
    names = [column.split()[0] for column in schema.split(", ")]
    document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    struct = schema.replace(" ", ": ").replace(",:", ",")
    return spark.sql(f"SELECT INLINE(FROM_JSON(:rows, 'ARRAY<STRUCT<{struct}>>'))", args={"rows": document})
