"""Which of the rows with one key stays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from medallion.manifest import Manifest, SourceFile
from spark_jobs import clean
from tests.spark_jobs.conftest import KEY, Bronze, changed, written

Cleaned = Callable[..., DataFrame]
STATUSES = "file__ INT, id BIGINT, code STRING, status STRING"


@pytest.fixture
def cleaned(spark: SparkSession, document: dict[str, Any], tmp_path: Path) -> Cleaned:
    """The rows that a run over files leaves, with their status."""

    def cleaned(*files: SourceFile, document: dict[str, Any] = document) -> DataFrame:
        manifest = Manifest("orders", "r1", "release", document, files, str(tmp_path / "out"))
        clean.clean(spark, manifest, KEY)
        return written(spark, manifest.output)

    return cleaned


def test_of_rows_with_one_key_the_newest_stays(spark: SparkSession, cleaned: Cleaned, bronze: Bronze) -> None:
    older = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AA", "1,2017-01-03 12:00:00,1.00,CC")
    newer = bronze.land_rows("b.csv", "1,2017-01-02 12:00:00,1.00,BB", "2,2017-01-02 12:00:00,1.00,BB")
    expected = spark.createDataFrame(
        [(0, 1, "AA", "duplicate"), (0, 1, "CC", "valid"), (1, 1, "BB", "duplicate"), (1, 2, "BB", "valid")],
        STATUSES,
    )
    found = cleaned(older, newer).select("file__", "id", "code", "status")
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_between_rows_of_one_time_the_greater_hash_stays_whatever_the_order(
    cleaned: Cleaned, bronze: Bronze
) -> None:
    lines = [f"1,2017-01-01 12:00:00,{amount}.00,AB" for amount in range(5)]
    orders = (lines, lines[::-1])
    files = [bronze.land_rows(f"{number}.csv", *order) for number, order in enumerate(orders)]
    for file in files:
        found = cleaned(file).select("status", "row_hash").collect()
        assert [r["row_hash"] for r in found if r["status"] == "valid"] == [max(r["row_hash"] for r in found)]


def test_of_equal_rows_that_of_the_later_file_stays(cleaned: Cleaned, bronze: Bronze) -> None:
    line = "1,2017-01-01 12:00:00,1.00,AB"
    found = cleaned(bronze.land_rows("a.csv", line), bronze.land_rows("b.csv", line)).collect()
    assert sorted((row["file__"], row["status"]) for row in found) == [(0, "duplicate"), (1, "valid")]


def test_a_rejected_row_is_never_a_duplicate_nor_makes_one(cleaned: Cleaned, bronze: Bronze) -> None:
    broken = "1,2017-01-02 12:00:00,-1.00,AB"
    file = bronze.land_rows("a.csv", broken, broken, "1,2017-01-01 12:00:00,1.00,AB")
    found = [row["status"] for row in cleaned(file).collect()]
    assert sorted(found) == ["rejected", "rejected", "valid"]


def test_a_key_that_is_hashed_makes_duplicates_too(
    cleaned: Cleaned, bronze: Bronze, document: dict[str, Any]
) -> None:
    personal = changed(document, "code", classification="personal", primaryKey=True, required=True)
    file = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB", "1,2017-01-02 12:00:00,1.00,AB")
    found = cleaned(file, document=personal).select("status").collect()
    assert sorted(row["status"] for row in found) == ["duplicate", "valid"]
