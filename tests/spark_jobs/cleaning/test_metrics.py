"""Counts that are taken while rows pass must be those of the rows."""

import json
from collections import Counter, defaultdict

import pytest
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from spark_jobs.cleaning.metrics import (
    Counts,
    ReadCounts,
    file_counts,
    observe_read,
    observe_written,
    read_counts,
    written_counts,
)

FILES = 40
RULES = 35


def rows(spark: SparkSession, partitions: int) -> DataFrame:
    """3,000 judged rows of all statuses; some of the files, 39 among them, have none."""
    return spark.range(3000, numPartitions=partitions).selectExpr(
        "CAST(id * id % 39 AS INT) AS file__",
        "id",
        "CAST(10 AS BIGINT) AS size__",
        "true AS is_row__",
        "CASE id % 8 WHEN 1 THEN ARRAY(0, 3, 9, 10, 34) WHEN 5 THEN ARRAY(3) END AS broken__",
        "IF(id % 1000 = 0, ARRAY('tier', CONCAT('k', id % 7)), NULL) AS keys__",
        """CASE id % 4 WHEN 1 THEN '{"status":"rejected"}' WHEN 2 THEN '{"status":"duplicate"}' END"""
        " AS verdict__",
    )


@pytest.fixture
def observed():
    def observed(frame: DataFrame, files: int = FILES) -> tuple[ReadCounts, Counter[int]]:
        read, written = Observation(), Observation()
        passed = observe_written(observe_read(frame, RULES, files, True, read), files, written)
        passed.write.format("noop").mode("overwrite").save()
        return read_counts(read, RULES), written_counts(written)

    return observed


@pytest.mark.parametrize("partitions", [1, 7, 32])
def test_counts_are_those_of_the_rows_however_they_are_spread(
    spark: SparkSession, observed, partitions: int
) -> None:
    statuses = ("valid", "rejected", "duplicate")
    truth = Counter(
        (row["file__"], (json.loads(row["verdict__"]) if row["verdict__"] else {"status": "valid"})["status"])
        for row in rows(spark, partitions).collect()
    )
    expected = [[truth[file, status] for status in statuses] for file in range(FILES)]
    counted = file_counts(*observed(rows(spark, partitions)), FILES)
    assert [[count.valid, count.rejected, count.duplicate] for count in counted] == expected
    assert [count.read for count in counted] == [sum(counts) for counts in expected]


def test_a_file_without_rows_counts_none(spark: SparkSession, observed) -> None:
    assert file_counts(*observed(rows(spark, 2)), FILES)[39] == Counts(0, 0, 0, 0)


def test_no_rows_at_all_count_none(spark: SparkSession, observed) -> None:
    read, written = observed(rows(spark, 2).where("false"))
    assert file_counts(read, written, 2) == [Counts(0, 0, 0, 0)] * 2
    assert (read.bytes, read.broken, read.keys) == (0, {}, {})


def test_a_single_file_is_counted(spark: SparkSession, observed) -> None:
    one = rows(spark, 3).where("file__ = 0")
    (count,) = file_counts(*observed(one, files=1), 1)
    assert count.read == one.count() > 0


def test_a_replayed_row_with_a_verdict_may_be_valid(spark: SparkSession, observed) -> None:
    replayed = rows(spark, 1).withColumn("verdict__", F.lit('{"status":"valid","raw":"1"}'))
    assert sum(count.valid for count in file_counts(*observed(replayed), FILES)) == 3000


def test_bytes_are_added_up_also_of_what_is_no_row(spark: SparkSession, observed) -> None:
    read, written = observed(rows(spark, 3).withColumn("is_row__", F.col("id") > 0))
    assert read.bytes == 30_000
    assert sum(count.read for count in file_counts(read, written, FILES)) == 2999


def test_rows_are_counted_by_file_and_by_each_rule_that_they_break(spark: SparkSession, observed) -> None:
    truth: dict[int, Counter[int]] = defaultdict(Counter)
    for row in rows(spark, 1).where("broken__ IS NOT NULL").collect():
        truth[row["file__"]].update(row["broken__"])
    read, _ = observed(rows(spark, 5))
    assert read.broken == truth
    assert sum(truth.values(), Counter()) == {0: 375, 3: 750, 9: 375, 10: 375, 34: 375}


def test_new_keys_are_found_by_file(spark: SparkSession, observed) -> None:
    read, _ = observed(rows(spark, 5))
    assert read.keys == {
        0: {"tier", "k0"},
        1000 * 1000 % 39: {"tier", "k6"},
        2000 * 2000 % 39: {"tier", "k5"},
    }
