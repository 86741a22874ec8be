"""From lines to rows: what is read, what is rejected and why, and which of two rows with one key stays."""

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from tests.spark_jobs.conftest import Bronze, Rows

STATUSES = "file__ INT, id BIGINT, code STRING, status STRING"


def test_a_row_gets_the_contracts_types(spark: SparkSession, rows: Rows, bronze: Bronze) -> None:
    found = rows(bronze.land_rows("a.csv", "1,2017-01-01 03:00:00,1.5, AB "))
    expected = spark.createDataFrame(
        [("1", "2017-01-01 03:00:00", "1.50", "AB", "2016-12-31")],
        "id STRING, changed_at STRING, amount STRING, code STRING, day STRING",
    ).selectExpr(
        "CAST(id AS BIGINT) id",
        "CAST(changed_at AS TIMESTAMP) changed_at",
        "CAST(amount AS DECIMAL(6, 2)) amount",
        "code",
        "CAST(day AS DATE) day",
    )
    assert_df_equality(found.select(expected.columns), expected, ignore_nullable=True)


def test_a_sound_row_has_no_reasons_and_no_raw_text(rows: Rows, bronze: Bronze) -> None:
    (row,) = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB")).collect()
    assert (row["status"], row["reasons"], row["raw"]) == ("valid", None, None)


def test_a_rejected_row_keeps_every_broken_rule_and_its_line(rows: Rows, bronze: Bronze) -> None:
    line = ' 0,2017-13-01 12:00:00,"1,50",abcd '
    (row,) = rows(bronze.land_rows("a.csv", line)).collect()
    assert (row["status"], row["raw"]) == ("rejected", line)
    assert [tuple(reason) for reason in row["reasons"]] == [
        ("id", "minimum", "0"),
        ("changed_at", "type", "2017-13-01 12:00:00"),
        ("amount", "type", "1,50"),
        ("code", "maxLength", "abcd"),
        ("code", "pattern", "abcd"),
    ]


def test_a_derived_value_that_cannot_be_had_is_a_broken_rule(rows: Rows, bronze: Bronze) -> None:
    file = bronze.land_rows("a.csv", "1,0001-01-01 00:00:00,1.00,AB")
    (row,) = rows(file).select("reasons").collect()
    assert [tuple(reason) for reason in row["reasons"]] == [("day", "required", None)]


def test_an_absent_optional_column_is_null(rows: Rows, bronze: Bronze) -> None:
    header = "number,changed_at,amount"
    (row,) = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00", header=header)).collect()
    assert (row["status"], row["code"]) == ("valid", None)


def test_no_files_are_no_rows_of_the_same_columns(rows: Rows, bronze: Bronze) -> None:
    some = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB"))
    assert rows().schema.simpleString() == some.schema.simpleString()
    assert rows().count() == 0


def test_of_rows_with_one_key_the_newest_stays(spark: SparkSession, rows: Rows, bronze: Bronze) -> None:
    older = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AA", "1,2017-01-03 12:00:00,1.00,CC")
    newer = bronze.land_rows("b.csv", "1,2017-01-02 12:00:00,1.00,BB", "2,2017-01-02 12:00:00,1.00,BB")
    expected = spark.createDataFrame(
        [(0, 1, "AA", "duplicate"), (0, 1, "CC", "valid"), (1, 1, "BB", "duplicate"), (1, 2, "BB", "valid")],
        STATUSES,
    )
    found = rows(older, newer).select("file__", "id", "code", "status")
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_between_rows_of_one_time_the_greater_hash_stays_whatever_the_order(
    rows: Rows, bronze: Bronze
) -> None:
    lines = [f"1,2017-01-01 12:00:00,{amount}.00,AB" for amount in range(5)]
    orders = (lines, lines[::-1])
    files = [bronze.land_rows(f"{number}.csv", *order) for number, order in enumerate(orders)]
    for file in files:
        found = rows(file).select("status", "row_hash").collect()
        assert [r["row_hash"] for r in found if r["status"] == "valid"] == [max(r["row_hash"] for r in found)]


def test_of_equal_rows_that_of_the_later_file_stays(rows: Rows, bronze: Bronze) -> None:
    line = "1,2017-01-01 12:00:00,1.00,AB"
    found = rows(bronze.land_rows("a.csv", line), bronze.land_rows("b.csv", line)).collect()
    assert sorted((row["file__"], row["status"]) for row in found) == [(0, "duplicate"), (1, "valid")]


def test_a_rejected_row_is_never_a_duplicate_nor_makes_one(rows: Rows, bronze: Bronze) -> None:
    broken = "1,2017-01-02 12:00:00,-1.00,AB"
    file = bronze.land_rows("a.csv", broken, broken, "1,2017-01-01 12:00:00,1.00,AB")
    found = [row["status"] for row in rows(file).collect()]
    assert sorted(found) == ["rejected", "rejected", "valid"]


def test_the_hash_depends_on_the_row_alone(rows: Rows, bronze: Bronze) -> None:
    line = "1,2017-01-01 12:00:00,1.00,AB"
    one, other = (rows(bronze.land_rows(name, line)).first()["row_hash"] for name in ("a.csv", "b.csv"))
    changed = rows(bronze.land_rows("c.csv", line.replace("AB", "AC"))).first()["row_hash"]
    assert one == other != changed
