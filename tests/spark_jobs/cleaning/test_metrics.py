"""Counts that are taken while rows pass must be those of the rows."""

from collections import Counter

import pytest
from pyspark.sql import DataFrame, Observation, SparkSession

from spark_jobs.cleaning.metrics import Counts, file_counts, observe_read, observe_written, rule_counts

FILES = 40
RULES = [("amount", "type"), ("amount", "minimum"), ("", "shape")]


def rows(spark: SparkSession, partitions: int) -> DataFrame:
    """3,000 rows of all statuses, spread over partitions; some of the files, 39 among them, have none."""
    return spark.range(3000, numPartitions=partitions).selectExpr(
        "CAST(id * id % 39 AS INT) AS file",
        "CASE id % 4 WHEN 1 THEN 'rejected' WHEN 2 THEN 'duplicate' ELSE 'valid' END AS status",
        """
        CASE id % 8
          WHEN 1 THEN TRANSFORM(ARRAY('type', 'minimum'), r -> STRUCT('amount' AS column, r AS rule))
          WHEN 5 THEN ARRAY(STRUCT('' AS column, 'shape' AS rule))
        END AS reasons
        """,
    )


def observed(frame: DataFrame, files: int = FILES) -> tuple[Observation, Observation]:
    read, written = Observation(), Observation()
    passed = observe_written(observe_read(frame, files, read), files, RULES, written)
    passed.write.format("noop").mode("overwrite").save()
    return read, written


@pytest.mark.parametrize("partitions", [1, 7, 32])
def test_counts_are_those_of_the_rows_however_they_are_spread(spark: SparkSession, partitions: int) -> None:
    truth = Counter((row["file"], row["status"]) for row in rows(spark, partitions).collect())
    expected = [
        [truth[file, status] for status in ("valid", "rejected", "duplicate")] for file in range(FILES)
    ]
    counted = file_counts(*observed(rows(spark, partitions)), FILES)
    assert [[count.valid, count.rejected, count.duplicate] for count in counted] == expected
    assert [count.read for count in counted] == [sum(counts) for counts in expected]


def test_a_file_without_rows_counts_none(spark: SparkSession) -> None:
    assert file_counts(*observed(rows(spark, 2)), FILES)[39] == Counts(0, 0, 0, 0)


def test_no_rows_at_all_count_none(spark: SparkSession) -> None:
    empty = observed(rows(spark, 2).where("false"))
    assert file_counts(*empty, 2) == [Counts(0, 0, 0, 0)] * 2
    assert rule_counts(empty[1], RULES) == []


def test_a_single_file_is_counted(spark: SparkSession) -> None:
    one = rows(spark, 3).where("file = 0")
    (count,) = file_counts(*observed(one, files=1), 1)
    assert count.read == one.count() > 0


def test_rows_are_counted_by_each_rule_that_they_break(spark: SparkSession) -> None:
    _, written = observed(rows(spark, 5))
    assert rule_counts(written, RULES) == [
        {"column": "amount", "rule": "type", "rows": 375},
        {"column": "amount", "rule": "minimum", "rows": 375},
        {"column": "", "rule": "shape", "rows": 375},
    ]


def test_a_rule_that_nobody_broke_is_left_out(spark: SparkSession) -> None:
    _, written = observed(rows(spark, 2).where("reasons IS NULL OR size(reasons) = 1"))
    assert [rule["rule"] for rule in rule_counts(written, RULES)] == ["shape"]
