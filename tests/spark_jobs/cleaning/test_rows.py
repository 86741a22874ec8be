"""From lines to rows: what is read, what is rejected and why, and which of two rows with one key stays."""

import dataclasses
from collections.abc import Callable

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from medallion.contracts import Contract
from medallion.errors import MedallionError
from medallion.manifest import SourceFile
from spark_jobs.cleaning.files import Inspection, inspect
from spark_jobs.cleaning.rows import MAX_FIELDS, check, deduplicate, read_texts, small_table
from tests.spark_jobs.conftest import HEADER, Bronze

Clean = Callable[..., DataFrame]

STATUSES = "file INT, id BIGINT, code STRING, status STRING"


@pytest.fixture
def read(spark: SparkSession, contract: Contract) -> Clean:
    """The rows of files as text."""

    def read(*files: SourceFile) -> DataFrame:
        return read_texts(spark, list(enumerate(inspect(spark, files, contract))), contract)

    return read


@pytest.fixture
def rows(read: Clean, contract: Contract) -> Clean:
    """The rows of files, typed and with their status."""
    return lambda *files: deduplicate(check(read(*files), contract), contract)


def test_a_row_gets_the_contracts_types(spark: SparkSession, rows: Clean, bronze: Bronze) -> None:
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


def test_a_sound_row_has_no_reasons_and_no_raw_text(rows: Clean, bronze: Bronze) -> None:
    (row,) = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB")).collect()
    assert (row["status"], row["reasons"], row["raw"]) == ("valid", None, None)


def test_a_rejected_row_keeps_every_broken_rule_and_its_line(rows: Clean, bronze: Bronze) -> None:
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


@pytest.mark.parametrize(
    "line",
    [
        "1,2017-01-01 12:00:00",
        "1,2017-01-01 12:00:00,1.00,AB,more",
        '1,2017-01-01 12:00:00,1.00,"AB',
        "garbage",
        pytest.param("," * (MAX_FIELDS + 1), id="more fields than Spark takes"),
    ],
)
def test_a_line_of_another_shape_is_rejected_for_that_alone(rows: Clean, bronze: Bronze, line: str) -> None:
    (row,) = rows(bronze.land_rows("a.csv", line)).collect()
    assert (row["status"], row["raw"]) == ("rejected", line)
    assert [tuple(reason) for reason in row["reasons"]] == [("", "shape", line[:200])]


def test_a_line_that_is_not_utf_8_is_rejected_with_its_text_made_readable(
    rows: Clean, bronze: Bronze
) -> None:
    good = "1,2017-01-01 12:00:00,1.00,AB\n" * 3000  # beyond what is looked at before
    content = f"{HEADER}\n{good}".encode() + b"2,2017-01-01 12:00:00,1.00,\xe9A\n"
    (row,) = rows(bronze.land("a.csv", content)).where("status = 'rejected'").collect()
    assert row["raw"] == "2,2017-01-01 12:00:00,1.00,\ufffdA"
    assert [reason["rule"] for reason in row["reasons"]] == ["shape"]


def test_a_derived_value_that_cannot_be_had_is_a_broken_rule(rows: Clean, bronze: Bronze) -> None:
    file = bronze.land_rows("a.csv", "1,0001-01-01 00:00:00,1.00,AB")
    (row,) = rows(file).select("reasons").collect()
    assert [tuple(reason) for reason in row["reasons"]] == [("day", "required", None)]


def test_an_absent_optional_column_is_null(rows: Clean, bronze: Bronze) -> None:
    header = "number,changed_at,amount"
    (row,) = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00", header=header)).collect()
    assert (row["status"], row["code"]) == ("valid", None)


def test_quoted_fields_hold_delimiters_and_quotes(read: Clean, bronze: Bronze) -> None:
    file = bronze.land_rows("a.csv", '1,"2017-01-01 12:00:00","1,00","A""B, C"')
    (row,) = read(file).collect()
    assert (row["malformed"], row["text__amount"], row["text__code"]) == (False, "1,00", 'A"B, C')


def test_header_lines_and_blank_lines_are_no_rows(read: Clean, bronze: Bronze) -> None:
    file = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB", HEADER, "", "   ", header=HEADER)
    assert [row["text__id"] for row in read(file).collect()] == ["1"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(read: Clean, bronze: Bronze, end: str) -> None:
    lines = (HEADER, "1,2017-01-01 12:00:00,1.00,AB", "2,2017-01-01 12:00:00,1.00,AC")
    found = read(bronze.land("a.csv", end.join(lines))).collect()
    assert [row["text__code"] for row in found] == ["AB", "AC"]


def test_a_byte_order_mark_does_not_make_the_header_a_row(read: Clean, bronze: Bronze) -> None:
    file = bronze.land("a.csv", f"\ufeff{HEADER}\n1,2017-01-01 12:00:00,1.00,AB\n")
    assert [row["text__id"] for row in read(file).collect()] == ["1"]


def test_the_order_of_columns_makes_no_difference(
    spark: SparkSession, rows: Clean, bronze: Bronze, contract: Contract
) -> None:
    one = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB")
    other = bronze.land_rows("b.csv", "x,AB,1.00,2017-01-01 12:00:00,1", header="y,CODE,Amount,changed_at,id")
    names = [column.name for column in contract.columns]
    assert_df_equality(rows(one).select(*names, "row_hash"), rows(other).select(*names, "row_hash"))


def test_files_of_different_layouts_are_read_together(
    spark: SparkSession, rows: Clean, bronze: Bronze
) -> None:
    one = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB")
    other = bronze.land_rows("b.csv", "CD,2.00,2017-01-01 12:00:00,2", header="code,amount,changed_at,id")
    expected = spark.createDataFrame([(0, 1, "AB", "valid"), (1, 2, "CD", "valid")], STATUSES)
    assert_df_equality(
        rows(one, other).select("file", "id", "code", "status"),
        expected,
        ignore_row_order=True,
        ignore_nullable=True,
    )


def test_names_may_hold_whatever_an_object_store_takes(read: Clean, bronze: Bronze) -> None:
    names = ("a b.csv", "ü😀.csv", "a[1].csv", "100%.csv", "a%20b.csv", "a+b.csv", "a,b.csv", "a#b?.csv")
    names += ("{x}.csv", "*.csv", "a\\b.csv", "a&b=c;d.csv", "day=1.csv")
    files = [
        bronze.land_rows(name, f"{number},2017-01-01 12:00:00,1.00,AB") for number, name in enumerate(names)
    ]
    found = read(*files).select("file", "text__id").collect()
    assert sorted((row["file"], row["text__id"]) for row in found) == [(i, str(i)) for i in range(13)]


def test_folders_may_look_like_partitions(read: Clean, bronze: Bronze) -> None:
    for folder in ("day=1", "_day"):
        (bronze.folder / folder).mkdir()
    files = [
        bronze.land_rows(f"{folder}/a.csv", f"{number},2017-01-01 12:00:00,1.00,AB")
        for number, folder in enumerate(("day=1", "_day"), start=1)
    ]
    assert sorted(row["text__id"] for row in read(*files).collect()) == ["1", "2"]


def test_a_file_that_spark_would_leave_out_is_an_error(
    spark: SparkSession, contract: Contract, bronze: Bronze
) -> None:
    hidden = bronze.land_rows("_a.csv", "1,2017-01-01 12:00:00,1.00,AB")
    inspected = [(0, Inspection(hidden, HEADER, tuple(HEADER.split(","))))]
    with pytest.raises(MedallionError, match="Spark lists 0 of 1 files"):
        read_texts(spark, inspected, contract)


def test_no_files_are_no_rows_of_the_same_columns(read: Clean, rows: Clean, bronze: Bronze) -> None:
    some = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB"))
    assert rows().schema.simpleString() == some.schema.simpleString()
    assert rows().count() == 0


def test_of_rows_with_one_key_the_newest_stays(spark: SparkSession, rows: Clean, bronze: Bronze) -> None:
    older = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AA", "1,2017-01-03 12:00:00,1.00,CC")
    newer = bronze.land_rows("b.csv", "1,2017-01-02 12:00:00,1.00,BB", "2,2017-01-02 12:00:00,1.00,BB")
    expected = spark.createDataFrame(
        [(0, 1, "AA", "duplicate"), (0, 1, "CC", "valid"), (1, 1, "BB", "duplicate"), (1, 2, "BB", "valid")],
        STATUSES,
    )
    found = rows(older, newer).select("file", "id", "code", "status")
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_between_rows_of_one_time_the_greater_hash_stays_whatever_the_order(
    rows: Clean, bronze: Bronze
) -> None:
    lines = [f"1,2017-01-01 12:00:00,{amount}.00,AB" for amount in range(5)]
    orders = (lines, lines[::-1])
    files = [bronze.land_rows(f"{number}.csv", *order) for number, order in enumerate(orders)]
    for file in files:
        found = rows(file).select("status", "row_hash").collect()
        assert [r["row_hash"] for r in found if r["status"] == "valid"] == [max(r["row_hash"] for r in found)]


def test_of_equal_rows_that_of_the_later_file_stays(rows: Clean, bronze: Bronze) -> None:
    line = "1,2017-01-01 12:00:00,1.00,AB"
    found = rows(bronze.land_rows("a.csv", line), bronze.land_rows("b.csv", line)).collect()
    assert sorted((row["file"], row["status"]) for row in found) == [(0, "duplicate"), (1, "valid")]


def test_a_rejected_row_is_never_a_duplicate_nor_makes_one(rows: Clean, bronze: Bronze) -> None:
    broken = "1,2017-01-02 12:00:00,-1.00,AB"
    file = bronze.land_rows("a.csv", broken, broken, "1,2017-01-01 12:00:00,1.00,AB")
    found = [row["status"] for row in rows(file).collect()]
    assert sorted(found) == ["rejected", "rejected", "valid"]


def test_the_hash_depends_on_the_row_alone(rows: Clean, bronze: Bronze) -> None:
    line = "1,2017-01-01 12:00:00,1.00,AB"
    one, other = (rows(bronze.land_rows(name, line)).first()["row_hash"] for name in ("a.csv", "b.csv"))
    changed = rows(bronze.land_rows("c.csv", line.replace("AB", "AC"))).first()["row_hash"]
    assert one == other != changed


def test_a_small_table_holds_any_text(spark: SparkSession) -> None:
    texts = ["it's", 'a "quote"', "back\\slash", "ünï\n"]
    frame = small_table(spark, list(enumerate(texts)), "number INT, text STRING")
    expected = spark.createDataFrame(list(enumerate(texts)), "number INT, text STRING")
    assert_df_equality(frame, expected, ignore_nullable=True)


def test_a_path_may_be_written_with_its_scheme(read: Clean, bronze: Bronze) -> None:
    plain = bronze.land_rows("a b.csv", "1,2017-01-01 12:00:00,1.00,AB")
    file = dataclasses.replace(plain, uri=f"file://{plain.uri}")
    assert [row["text__id"] for row in read(file).collect()] == ["1"]
