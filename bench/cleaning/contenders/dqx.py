"""Databricks Labs DQX, with the contract's rules as its checks, and a window for what it has no check for.

Its own check of duplicates, is_unique, refuses every row of a repeated key and keeps none of them.
"""

from unittest.mock import create_autospec

from databricks.labs.dqx import check_funcs
from databricks.labs.dqx.engine import DQEngineCore
from databricks.labs.dqx.rule import DQRowRule
from databricks.sdk import WorkspaceClient
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from bench.cleaning.layout import (
    COLUMNS,
    DERIVED,
    FIELDS,
    HEADER,
    KEY,
    ORDER_BY,
    TIMESTAMP_FORMAT,
    Field,
    file_schema,
)
from bench.cleaning.spark import session

__all__ = ["clean", "session"]

CORRUPT = "_corrupt_record"
MONEY = r"^[+-]?\d{1,10}(\.\d{0,2})?$"  # a cast alone would round further digits away


def clean(spark: SparkSession, files: list[str], output: str) -> None:
    """Leaves valid/, typed, and rejected/ with DQX's errors: one write after the other, as in its guide."""
    # Outside of a workspace DQX wants a stand-in for its client, which only has to answer.
    engine = DQEngineCore(create_autospec(WorkspaceClient), spark)
    valid, rejected = engine.apply_checks_and_split(_read(spark, files), checks())
    _newest(_typed(valid)).write.parquet(f"{output}/valid")
    rejected.write.parquet(f"{output}/rejected")


def checks() -> list[DQRowRule]:
    """The contract's rules: a line's shape, and of each field that it is there, its type and its minimum."""
    rules = [DQRowRule(check_func=check_funcs.is_null, column=CORRUPT)]
    for field in FIELDS:
        rules.append(DQRowRule(check_func=check_funcs.is_not_null_and_not_empty, column=field.source))
        rules.append(_type_check(field))
        if field.minimum is not None:
            rules.append(
                DQRowRule(
                    check_func=check_funcs.is_not_less_than,
                    column=f"try_cast({field.source} AS {field.type})",
                    check_func_kwargs={"limit": field.minimum},
                )
            )
    return rules


def _type_check(field: Field) -> DQRowRule:
    name = f"{field.source}_is_not_{field.type.partition('(')[0].lower()}"
    if field.type == "TIMESTAMP":
        function, arguments = check_funcs.is_valid_timestamp, {"timestamp_format": TIMESTAMP_FORMAT}
    elif field.type.startswith("DECIMAL"):
        function, arguments = check_funcs.regex_match, {"regex": MONEY}
    else:
        is_typed = f"{field.source} IS NULL OR try_cast({field.source} AS {field.type}) IS NOT NULL"
        return DQRowRule(
            name=name,
            check_func=check_funcs.sql_expression,
            columns=[field.source],
            check_func_kwargs={"expression": is_typed},
        )
    return DQRowRule(name=name, check_func=function, column=field.source, check_func_kwargs=arguments)


def _read(spark: SparkSession, files: list[str]) -> DataFrame:
    schema = file_schema(dict.fromkeys(HEADER, "STRING")) + f", {CORRUPT} STRING"
    # By default Spark doesn't parse columns that a write has no use for, so that a line with too many fields
    # is corrupt for the one write and sound for the other, and ends in both.
    reader = spark.read.option("columnPruning", False)
    return reader.csv(files, schema=schema, header=True, columnNameOfCorruptRecord=CORRUPT)


def _typed(texts: DataFrame) -> DataFrame:
    rows = texts.select(
        *(
            F.to_timestamp(field.source, TIMESTAMP_FORMAT).alias(field.column)
            if field.type == "TIMESTAMP"
            else F.col(field.source).cast(field.type).alias(field.column)
            for field in FIELDS
        )
    )
    for name, expression in DERIVED.items():
        rows = rows.withColumn(name, F.expr(expression))
    return rows.select(*COLUMNS)


def _newest(rows: DataFrame) -> DataFrame:
    newest = Window.partitionBy(*KEY).orderBy(F.desc(ORDER_BY))
    return rows.withColumn("place", F.row_number().over(newest)).where("place = 1").drop("place")
