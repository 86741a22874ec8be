"""Counts that are taken while rows pass must be those of the rows."""

import json
from collections import Counter, defaultdict

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.cleaning.metrics import Counts, Read, Written, file_counts
from spark_jobs.cleaning.rules import Rule, Subject

FILES = 40
SHAPE, FAULTY = 2, 5  # the number of a rule on lines, and the rest of the ids of rows that break it
BROKEN = {1: (0, 3, 9, 10, 34), FAULTY: (SHAPE,)}  # the rules that every eighth row breaks, by its id's rest


def rules() -> list[Rule]:
    def rule(number: int) -> Rule:
        subject = Subject.LINE if number == SHAPE else Subject.VALUE
        # A broken line breaks rules on values too, which do not speak of it.
        broken = [rest for rest, numbers in BROKEN.items() if number in numbers or rest == FAULTY]
        return Rule(subject, "", f"r{number}", (F.col("id") % 8).isin(*broken))

    return [rule(number) for number in range(35)]


def rows(spark: SparkSession, partitions: int) -> DataFrame:
    """3,000 judged rows; some of the files, 39 among them, have none."""
    return spark.range(3000, numPartitions=partitions).selectExpr(
        "CAST(id * id % 39 AS INT) AS file__",
        "id",
        "CAST(10 AS BIGINT) AS size__",
        f"IF(id % 8 IN {tuple(BROKEN)}, ARRAY('text'), NULL) AS texts__",
        f"IF(id % 8 = {FAULTY}, 'shape', NULL) AS fault__",
        "true AS sound__",
        "id % 4 = 1 AS rejected__",
    )


@pytest.fixture
def observed():
    def observed(frame: DataFrame, files: int = FILES, is_row: str = "true") -> tuple[Read, Written]:
        read, written = Read(files), Written(files, rules())
        written.rows(read.rows(frame, F.expr(is_row))).write.format("noop").mode("overwrite").save()
        return read, written

    return observed


@pytest.mark.parametrize("partitions", [1, 7, 32])
def test_counts_are_those_of_the_rows_however_they_are_spread(
    spark: SparkSession, observed, partitions: int
) -> None:
    truth = Counter((row["file__"], row["rejected__"]) for row in rows(spark, partitions).collect())
    expected = [[truth[file, rejected] for rejected in (False, True)] for file in range(FILES)]
    counted = file_counts(*observed(rows(spark, partitions)), Counter(), FILES)
    assert [[count.valid, count.rejected] for count in counted] == expected
    assert [count.read for count in counted] == [sum(counts) for counts in expected]


def test_a_file_without_rows_counts_none(spark: SparkSession, observed) -> None:
    assert file_counts(*observed(rows(spark, 2)), Counter(), FILES)[39] == Counts(0, 0, 0, 0)


def test_no_rows_at_all_count_none(spark: SparkSession, observed) -> None:
    read, written = observed(rows(spark, 2).where("false"))
    assert file_counts(read, written, Counter(), 2) == [Counts(0, 0, 0, 0)] * 2
    assert (read.bytes, written.broken_by_file, read.keys_by_file) == (0, {}, {})


def test_a_single_file_is_counted(spark: SparkSession, observed) -> None:
    one = rows(spark, 3).where("file__ = 0")
    (count,) = file_counts(*observed(one, files=1), Counter(), 1)
    assert count.read == one.count() > 0


def test_a_duplicate_is_counted_as_no_valid_row(spark: SparkSession, observed) -> None:
    counted = observed(rows(spark, 2))
    before, after = (file_counts(*counted, Counter(found), FILES)[0] for found in ({}, {0: 3}))
    assert (after.valid, after.rejected, after.duplicate) == (before.valid - 3, before.rejected, 3)


def test_bytes_are_added_up_also_of_what_is_no_row(spark: SparkSession, observed) -> None:
    read, written = observed(rows(spark, 3), is_row="id > 0")
    assert read.bytes == 30_000
    assert sum(count.read for count in file_counts(read, written, Counter(), FILES)) == 2999


def test_rows_of_several_layouts_are_counted_together(spark: SparkSession) -> None:
    read = Read(FILES)
    halves = (read.rows(rows(spark, 2).where(f"id % 2 = {half}"), F.lit(True)) for half in (0, 1))
    first, second = halves
    first.union(second).write.format("noop").mode("overwrite").save()
    assert (read.bytes, read.rows_by_file.total()) == (30_000, 3000)


def test_rows_are_counted_by_file_and_by_each_rule_that_they_break(spark: SparkSession, observed) -> None:
    truth: dict[int, Counter[int]] = defaultdict(Counter)
    for row in rows(spark, 1).where("texts__ IS NOT NULL").collect():
        truth[row["file__"]].update(BROKEN[row["id"] % 8])
    _, written = observed(rows(spark, 5))
    assert written.broken_by_file == truth
    assert sum(truth.values(), Counter()) == dict.fromkeys((0, SHAPE, 3, 9, 10, 34), 375)


def test_new_keys_are_found_by_file(spark: SparkSession) -> None:
    read = Read(FILES)
    keys = F.when(F.col("id") % 1000 == 0, F.array(F.lit("tier"), F.concat(F.lit("k"), F.col("id") % 7)))
    read.keys(rows(spark, 5), keys).write.format("noop").mode("overwrite").save()
    assert read.keys_by_file == {
        0: {"tier", "k0"},
        1000 * 1000 % 39: {"tier", "k6"},
        2000 * 2000 % 39: {"tier", "k5"},
    }


def test_many_combinations_of_new_keys_are_collected_as_few(spark: SparkSession) -> None:
    read, names = Read(1), [f"option_{number}" for number in range(30)]
    chosen = F.filter(F.array(*map(F.lit, names)), lambda name: F.pmod(F.xxhash64(name, "id"), F.lit(2)) == 0)
    rows = spark.range(20_000, numPartitions=4).select(F.lit(0).alias("file__"), chosen.alias("keys"))
    assert rows.distinct().count() > 19_000
    read.keys(rows, F.col("keys")).write.format("noop").mode("overwrite").save()
    assert read.keys_by_file == {0: set(names)}
    assert sum(len(json.loads(part)) for part in read._keys[0].get.values()) < 1_000
