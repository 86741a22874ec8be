"""From lines to rows: what is read, and what is rejected and why."""

from typing import Any

from chispa import assert_df_equality
from pyspark.sql import SparkSession

from tests.spark_jobs.conftest import HEADER, ROW, Bronze, Rows, changed


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


def test_a_derived_number_that_is_infinite_or_none_is_a_broken_rule(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    far = "amount * CAST(1e308 AS DOUBLE)"
    derived = {"far": far, "apart": f"{far} - {far}", "unknown": f"IF(code = 'AB', NULL, {far})"}
    document = changed(document)
    document["schema"][0]["properties"] += [
        {"name": name, "physicalType": "FLOAT64", "transformLogic": logic} for name, logic in derived.items()
    ]
    file = bronze.land_rows("a.csv", ROW, ROW.replace("1.00", "2.00"))
    near, beyond = rows(file, document=document).orderBy("amount").collect()
    assert (near["status"], near["far"], near["apart"], near["unknown"]) == ("valid", 1e308, 0.0, None)
    assert [tuple(reason) for reason in beyond["reasons"]] == [
        ("far", "type", "Infinity"),
        ("apart", "type", "NaN"),
    ]


def test_an_absent_optional_column_is_null(rows: Rows, bronze: Bronze) -> None:
    header = "number,changed_at,amount"
    (row,) = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00", header=header)).collect()
    assert (row["status"], row["code"]) == ("valid", None)


def test_no_files_are_no_rows_of_the_same_columns(rows: Rows, bronze: Bronze) -> None:
    some = rows(bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00,AB"))
    assert rows().schema.simpleString() == some.schema.simpleString()
    assert rows().count() == 0


def test_the_hash_depends_on_the_row_alone(rows: Rows, bronze: Bronze) -> None:
    line = "1,2017-01-01 12:00:00,1.00,AB"
    one, other = (rows(bronze.land_rows(name, line)).first()["row_hash"] for name in ("a.csv", "b.csv"))
    changed = rows(bronze.land_rows("c.csv", line.replace("AB", "AC"))).first()["row_hash"]
    assert one == other != changed


def test_rows_with_one_value_in_another_column_have_other_hashes(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    more = {"name": "note", "physicalType": "STRING"}
    document = changed(document, "code", logicalTypeOptions={})
    document["schema"][0]["properties"].append(more)
    lines = ("1,2017-01-01 12:00:00,1.00,AB,", "1,2017-01-01 12:00:00,1.00,,AB")
    file = bronze.land_rows("a.csv", *lines, header=f"{HEADER},note")
    hashes = {row["row_hash"] for row in rows(file, document=document).collect()}
    assert len(hashes) == 2


def test_what_is_derived_from_a_dropped_column_is_part_of_the_hash(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    dropped = {"property": "protection", "value": "drop"}
    document = changed(document, "code", logicalTypeOptions={}, customProperties=[dropped])
    derived = {"name": "first", "physicalType": "STRING", "transformLogic": "LEFT(code, 1)"}
    document["schema"][0]["properties"].append(derived)
    file = bronze.land_rows("a.csv", ROW, ROW.replace("AB", "BB"))
    found = rows(file, document=document).collect()
    assert {row["first"] for row in found} == {"A", "B"}
    assert len({row["row_hash"] for row in found}) == 2
