"""Counts that are taken while rows pass must be those of the rows."""

from collections import Counter

import pytest
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.metrics import (
    Counts,
    file_counts,
    keys_found,
    mistyped_counts,
    observe_read,
    observe_written,
    rule_counts,
)

FILES = 40


def rows(spark: SparkSession, partitions: int) -> DataFrame:
    """3,000 judged rows of all statuses; some of the files, 39 among them, have none.

    Of the contract's read rules, the second is that id is of its type, and the third that it isn't below 1.
    """
    return spark.range(3000, numPartitions=partitions).selectExpr(
        "CAST(id * id % 39 AS INT) AS file",
        "id",
        "CAST(10 AS BIGINT) AS size",
        "true AS is_row",
        "IF(id % 8 = 5, 'shape', NULL) AS fault",
        "IF(id % 8 = 1, CAST(5 AS BIGINT), CAST(0 AS BIGINT)) AS read_bits__0",
        "CAST(0 AS BIGINT) AS derived_bits__0",
        "id % 4 = 1 AS rejected",
        "IF(id % 1000 = 0, ARRAY('tier', CONCAT('k', id % 7)), NULL) AS keys",
        "CASE id % 4 WHEN 1 THEN 'rejected' WHEN 2 THEN 'duplicate' ELSE 'valid' END AS status",
    )


@pytest.fixture
def observed(contract: Contract):
    def observed(frame: DataFrame, files: int = FILES) -> tuple[Observation, Observation]:
        read, written = Observation(), Observation()
        passed = observe_written(observe_read(frame, contract, files, read), files, written)
        passed.write.format("noop").mode("overwrite").save()
        return read, written

    return observed


@pytest.mark.parametrize("partitions", [1, 7, 32])
def test_counts_are_those_of_the_rows_however_they_are_spread(
    spark: SparkSession, observed, partitions: int
) -> None:
    truth = Counter((row["file"], row["status"]) for row in rows(spark, partitions).collect())
    expected = [
        [truth[file, status] for status in ("valid", "rejected", "duplicate")] for file in range(FILES)
    ]
    counted = file_counts(*observed(rows(spark, partitions)), FILES)
    assert [[count.valid, count.rejected, count.duplicate] for count in counted] == expected
    assert [count.read for count in counted] == [sum(counts) for counts in expected]


def test_a_file_without_rows_counts_none(spark: SparkSession, observed) -> None:
    assert file_counts(*observed(rows(spark, 2)), FILES)[39] == Counts(0, 0, 0, 0)


def test_no_rows_at_all_count_none(spark: SparkSession, observed, contract: Contract) -> None:
    read, written = observed(rows(spark, 2).where("false"))
    assert file_counts(read, written, 2) == [Counts(0, 0, 0, 0)] * 2
    assert (rule_counts(read, contract), keys_found(read), read.get.get("bytes", 0)) == ([], {}, 0)


def test_a_single_file_is_counted(spark: SparkSession, observed) -> None:
    one = rows(spark, 3).where("file = 0")
    (count,) = file_counts(*observed(one, files=1), 1)
    assert count.read == one.count() > 0


def test_bytes_are_added_up_also_of_what_is_no_row(spark: SparkSession, observed) -> None:
    read, written = observed(rows(spark, 3).withColumn("is_row", F.col("id") > 0))
    assert read.get["bytes"] == 30_000
    assert sum(count.read for count in file_counts(read, written, FILES)) == 2999


def test_rows_are_counted_by_each_rule_that_they_break(
    spark: SparkSession, observed, contract: Contract
) -> None:
    read, _ = observed(rows(spark, 5))
    assert rule_counts(read, contract) == [
        {"column": "", "rule": "shape", "severity": "error", "rows": 375},
        {"column": "id", "rule": "type", "severity": "error", "rows": 375},
        {"column": "id", "rule": "minimum", "severity": "error", "rows": 375},
    ]


def test_texts_of_another_type_are_counted_by_file(spark: SparkSession, observed, contract: Contract) -> None:
    truth = Counter(row["file"] for row in rows(spark, 1).where("read_bits__0 > 0").collect())
    read, _ = observed(rows(spark, 5))
    assert mistyped_counts(read, contract) == {(file, "id"): count for file, count in truth.items()}


def test_new_keys_are_found_by_file(spark: SparkSession, observed) -> None:
    read, _ = observed(rows(spark, 5))
    assert keys_found(read) == {
        0: {"tier", "k0"},
        1000 * 1000 % 39: {"tier", "k6"},
        2000 * 2000 % 39: {"tier", "k5"},
    }
