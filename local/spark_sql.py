"""What Spark makes of a contract's SQL and patterns, by Spark itself; part of `make check`."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from local.java import java_home, shared_classes
from local.kept import kept
from medallion.contracts import Column, Contract
from medallion.errors import ConfigError
from spark_jobs.cleaning import parsing, rules
from spark_jobs.cleaning.parsing import spark_type
from spark_jobs.cleaning.rules import met

CLASS_AND_PLACE = re.compile(r"^\[[A-Z_.]+\] |(; line 1 pos \d+)?;?$|\(line 1, pos \d+\)$")
SILENT = Path(__file__).with_name("spark_sql.log4j2.properties")  # what is wrong comes as an exception


def spark_problems_if_changed(contracts: Mapping[str, Contract]) -> list[str]:
    """The lines of `spark_problems`, without a start of Spark where nothing has changed."""
    code = [Path(file).read_text(encoding="utf-8") for file in (__file__, parsing.__file__, rules.__file__)]
    parts = [repr(contracts), *code, version("pyspark")]
    return kept("spark_sql", parts, lambda: map(str, spark_problems(contracts, _session())))


def spark_problems(contracts: Mapping[str, Contract], spark: SparkSession) -> Iterator[ConfigError]:
    """What Spark would refuse of contracts by the names of their files, told before a row is read.

    A column is derived from those that a file brings and from derived ones before it; a rule sees all.
    """
    for name, contract in contracts.items():
        file = f"conf/contracts/{name}.yaml"
        read = ", ".join(f"`{column.name}` {spark_type(column)}" for column in contract.read_columns)
        rows = spark.createDataFrame([], read)
        for index, column in enumerate(contract.columns):
            place = f"schema.0.properties.{index}"
            yield from _unusable_patterns(spark, column, file, place)
            if column.expression is None:
                continue
            key = f"{place}.transformLogic"
            wrong = _refusal(rows, column.expression, F.expr)
            if wrong:
                yield ConfigError(file, key, "Spark SQL over the columns", wrong)
            else:
                yield from _of_another_type(rows, column, file, key)
            # Its type is enough for what is made of it, which is not told again where it is wrong.
            rows = rows.withColumn(column.name, F.lit(None).cast(spark_type(column)))
        for rule in contract.rules:
            wrong = _refusal(rows, rule.condition, met)
            if wrong:
                key = f"schema.0.quality.{rule.name}.implementation"
                yield ConfigError(file, key, "a condition in Spark SQL", wrong)


def _unusable_patterns(spark: SparkSession, column: Column, file: str, place: str) -> Iterator[ConfigError]:
    """Patterns that end a job at its first row: Spark looks at none before."""
    empty = F.lit("")
    if column.format and not _is_usable(spark, F.to_timestamp(empty, column.format)):
        key = f"{place}.logicalTypeOptions.format"
        yield ConfigError(file, key, "a pattern of Spark's, like yyyy-MM-dd HH:mm:ss", column.format)
    for constraint in column.constraints:
        if constraint.name == "pattern" and not _is_usable(spark, empty.rlike(constraint.value)):
            yield ConfigError(file, f"{place}: pattern", "a regular expression of Java's", constraint.value)


def _is_usable(spark: SparkSession, value: Col) -> bool:
    try:
        spark.range(1).select(value).collect()
    except PySparkException:
        return False
    return True


def _of_another_type(rows: DataFrame, column: Column, file: str, key: str) -> Iterator[ConfigError]:
    """Where values aren't of the type that a derived column declares: the job takes them as they come."""
    sql, wanted = column.expression or "", spark_type(column)
    got = rows.select(F.expr(sql)).schema[0].dataType.simpleString()
    if got != wanted:
        expected = f"an expression of type {wanted}, Spark's for {column.physical_type}"
        next_step = f"write CAST(… AS {wanted}), or declare another physicalType"
        yield ConfigError(file, key, expected, f"{sql}: {got}", next_step)


def _refusal(rows: DataFrame, sql: str, value: Callable[[str], Col]) -> str | None:
    """The SQL, and why Spark can't make a value of a row by it; None where it can."""
    try:
        rows.withColumn("value__", value(sql))
    except AnalysisException as error:
        first = str(error).strip().splitlines()[0]
        return f"{sql}: {CLASS_AND_PLACE.sub('', first)}"
    return None


def _session() -> SparkSession:
    os.environ["JAVA_HOME"] = str(java_home())
    return (
        SparkSession.builder.appName("check")
        .master("local[1]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={SILENT.as_uri()}")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config(map={**shared_classes()})
        .getOrCreate()
    )
