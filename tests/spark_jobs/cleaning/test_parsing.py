"""Strict parsing: which texts are values of a type, shown as Spark shows them, and which are none."""

import re
from datetime import datetime
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Column
from medallion.odcs import parse_contract
from spark_jobs.cleaning.parsing import parse, spark_type, storable, trimmed, without_tokens


def column(physical_type: str, custom: dict[str, Any] | None = None, **options: str) -> Column:
    item = {"name": "x", "physicalType": physical_type, "logicalTypeOptions": options}
    item["customProperties"] = [{"property": name, "value": value} for name, value in (custom or {}).items()]
    key = {"primaryKey": True, "required": True}
    table = {"properties": [item | key], "customProperties": [{"property": "orderBy", "value": "x"}]}
    return parse_contract({"name": "n", "version": "1", "schema": [table]}, "test").columns[0]


def parsed(spark: SparkSession, wanted: Column, *texts: str | None) -> list[str | None]:
    frame = spark.createDataFrame([(text,) for text in texts], "text STRING")
    value = storable(parse(F.col("text"), wanted), wanted)
    return [row[0] for row in frame.select(value.cast("string")).collect()]


@pytest.mark.parametrize(
    ("physical_type", "expected"),
    [
        ("INT64", "bigint"),
        ("NUMERIC(12, 2)", "decimal(12,2)"),
        ("NUMERIC", "decimal(38,9)"),
        ("TIMESTAMP", "timestamp"),
    ],
)
def test_each_type_has_one_of_spark(physical_type: str, expected: str) -> None:
    assert spark_type(column(physical_type, format="yyyy-MM-dd HH:mm:ss")) == expected


def test_blanks_around_a_text_go_unless_the_contract_keeps_them(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("  a b ",)], "text STRING")
    assert frame.select(trimmed(F.col("text"), column("STRING"))).first()[0] == "a b"
    assert frame.select(trimmed(F.col("text"), column("STRING", {"trim": False}))).first()[0] == "  a b "


def test_null_tokens_stand_for_nothing_as_a_whole_text_only(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(text,) for text in ("NA", "", "na", "NAB")], "text STRING")
    found = frame.select(without_tokens(F.col("text"), ("", "NA"))).collect()
    assert [row[0] for row in found] == [None, None, "na", "NAB"]


def test_an_integer_is_digits_with_a_sign_at_most(spark: SparkSession) -> None:
    texts = ("7", "+7", "-7", "007", "1.0", "1e3", "0x1", "", "seven", "٣", None)
    assert parsed(spark, column("INT64"), *texts) == ["7", "7", "-7", "7", *[None] * 7]


def test_blanks_and_control_characters_of_ascii_around_an_integer_count_for_nothing(
    spark: SparkSession,
) -> None:
    texts = (" 7 ", "\t7", "\x1f+7", "7\x7f", "\x7f", "7\x1f7", "\x857", "\xa07", "\u20287")
    assert parsed(spark, column("INT64"), *texts) == [*["7"] * 4, *[None] * 5]


def test_an_integer_beyond_64_bits_is_none(spark: SparkSession) -> None:
    texts = ("9223372036854775807", "9223372036854775808", "-9223372036854775808", "1" * 30)
    assert parsed(spark, column("INT64"), *texts) == [texts[0], None, texts[2], None]


def test_a_decimal_keeps_every_digit(spark: SparkSession) -> None:
    texts = ("1234.56", "1.5", "1.", "-0.01", "+3")
    assert parsed(spark, column("NUMERIC(6, 2)"), *texts) == ["1234.56", "1.50", "1.00", "-0.01", "3.00"]


def test_a_decimal_that_would_lose_digits_is_none(spark: SparkSession) -> None:
    texts = ("1.005", "12345.00", "1e2", "1,5", ".5", "NaN", "$1")
    assert parsed(spark, column("NUMERIC(6, 2)"), *texts) == [None] * 7


def test_a_decimal_is_told_by_parts_as_by_an_expression_for_the_whole_text(spark: SparkSession) -> None:
    pieces = (
        ("", "+", "-", "--", " ", "\t", "\x7f"),
        ("", "0", "12", "1234", "12345", "1e2", "٣", "1 2"),
        ("", ".", "..", ","),
        ("", "5", "05", "005", "e1", "E1", "1Z", "\t", "5\t", "5\x7f", "٣", "-1"),
    )
    texts = ["".join(parts) for parts in product(*pieces)]
    pattern = re.compile(r"[+-]?\d{1,4}(\.\d{0,2})?", re.ASCII)
    expected = {text: Decimal(text) if pattern.fullmatch(text) else None for text in texts}
    found = parsed(spark, column("NUMERIC(6, 2)"), *texts)
    assert {text: value and Decimal(value) for text, value in zip(texts, found, strict=True)} == expected
    assert sum(value is not None for value in expected.values()) > 50


def test_a_decimal_of_more_digits_than_an_integer_has_is_as_strict(spark: SparkSession) -> None:
    digits = "1" * 29
    texts = (f"{digits}.123456789", f"{digits}1", f"{digits}.1234567891", "1e2", ".5", "5\t")
    assert parsed(spark, column("NUMERIC"), *texts) == [texts[0], *[None] * 5]


def test_a_time_is_told_by_parts_as_by_an_expression_for_the_whole_text(spark: SparkSession) -> None:
    good = "2017-10-11 12:13:14"
    pieces = ("", "0", "00", "Z", ":", ".", " ", "-", "+", "T", "\t", "٣", "a")
    edits = [(place, cut, piece) for place in range(20) for cut in (0, 1) for piece in pieces]

    def edited(text: str, edit: tuple[int, int, str]) -> str:
        place, cut, piece = edit
        return text[:place] + piece + text[place + cut :]

    once = {edited(good, edit) for edit in edits}
    random = Random(1)
    twice = {edited(edited(good, random.choice(edits)), random.choice(edits)) for _ in range(10_000)}
    texts = sorted(once | twice)
    pattern = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)

    def is_time(text: str) -> bool:
        try:
            return bool(pattern.fullmatch(text) and datetime.fromisoformat(text))
        except ValueError:
            return False

    found = parsed(spark, column("TIMESTAMP", format="yyyy-MM-dd HH:mm:ss"), *texts)
    expected = [text if is_time(text) else None for text in texts]
    assert found == expected
    assert sum(text is not None for text in expected) > 10


def test_a_timestamp_must_have_the_contracts_format(spark: SparkSession) -> None:
    texts = ("2017-01-31 23:59:59", "2017-01-31", "2017-01-31T23:59:59", "2017-02-30 00:00:00", "yesterday")
    wanted = column("TIMESTAMP", format="yyyy-MM-dd HH:mm:ss")
    assert parsed(spark, wanted, *texts) == ["2017-01-31 23:59:59", None, None, None, None]


def test_a_time_that_an_older_spark_took_is_none_and_no_error(spark: SparkSession) -> None:
    texts = ("2017-1-1 1:02:03", "2017-01-01 01:02:03.5", "2017-01-01 01:02:03 PM")
    assert parsed(spark, column("TIMESTAMP", format="yyyy-MM-dd HH:mm:ss"), *texts) == [None] * 3
    assert parsed(spark, column("DATE"), "2017-1-1", "2017-01-01 00:00:00") == [None] * 2


def test_a_timestamp_is_read_in_the_contracts_timezone(spark: SparkSession) -> None:
    wanted = column("TIMESTAMP", format="yyyy-MM-dd HH:mm:ss", defaultTimezone="America/New_York")
    texts = ("2017-01-01 00:00:00", "2017-07-01 00:00:00")
    assert parsed(spark, wanted, *texts) == ["2017-01-01 05:00:00", "2017-07-01 04:00:00"]


def test_a_year_that_bigquery_has_no_room_for_is_none(spark: SparkSession) -> None:
    wanted = column("TIMESTAMP", format="yyyy-MM-dd HH:mm:ss")
    texts = ("0000-12-31 23:59:59", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "10000-01-01 00:00:00")
    assert parsed(spark, wanted, *texts) == [None, texts[1], texts[2], None]
    assert parsed(spark, column("DATE"), "0000-12-31", "0001-01-01") == [None, "0001-01-01"]


def test_a_date_is_iso_unless_the_contract_says_otherwise(spark: SparkSession) -> None:
    assert parsed(spark, column("DATE"), "2016-02-29", "2017-02-29", "31/01/2017") == [
        "2016-02-29",
        None,
        None,
    ]
    assert parsed(spark, column("DATE", format="dd/MM/yyyy"), "31/01/2017") == ["2017-01-31"]


def test_a_float_is_a_number_and_no_word(spark: SparkSession) -> None:
    texts = ("1.5", ".5", "-1e-3", "NaN", "Infinity", "1f", "1,5", "1e400", "-1e400")
    assert parsed(spark, column("FLOAT64"), *texts) == ["1.5", "0.5", "-0.001", *[None] * 6]


def test_a_boolean_is_true_or_false_in_words_or_digits(spark: SparkSession) -> None:
    texts = ("TRUE", "1", "False", "0", "yes", "2")
    assert parsed(spark, column("BOOL"), *texts) == ["true", "true", "false", "false", None, None]


def test_the_contract_names_other_words_for_true_and_false(spark: SparkSession) -> None:
    wanted = column("BOOL", {"trueTokens": ["Y", "yes"], "falseTokens": ["N"]})
    assert parsed(spark, wanted, "y", "YES", "n", "true", "0") == ["true", "true", "false", None, None]


NEW_YORK = {"format": "yyyy-MM-dd HH:mm:ss", "defaultTimezone": "America/New_York"}
LORD_HOWE = {"format": "yyyy-MM-dd HH:mm:ss", "defaultTimezone": "Australia/Lord_Howe"}  # by half an hour


def test_a_time_that_clocks_skipped_in_spring_is_none(spark: SparkSession) -> None:
    texts = ("2017-03-12 01:59:59", "2017-03-12 02:00:00", "2017-03-12 02:59:59", "2017-03-12 03:00:00")
    expected = ["2017-03-12 06:59:59", None, None, "2017-03-12 07:00:00"]
    assert parsed(spark, column("TIMESTAMP", **NEW_YORK), *texts) == expected
    half = ("2017-10-01 01:59:59", "2017-10-01 02:15:00", "2017-10-01 02:30:00")
    expected = ["2017-09-30 15:29:59", None, "2017-09-30 15:30:00"]
    assert parsed(spark, column("TIMESTAMP", **LORD_HOWE), *half) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("earlier", "2017-11-05 05:30:00"), ("later", "2017-11-05 06:30:00"), ("reject", None)],
)
def test_the_contract_decides_on_a_time_that_clocks_showed_twice(
    spark: SparkSession, rule: str, expected: str | None
) -> None:
    wanted = column("TIMESTAMP", {"ambiguousTime": rule}, **NEW_YORK)
    texts = ("2017-11-05 00:59:59", "2017-11-05 01:30:00", "2017-11-05 02:00:00")
    assert parsed(spark, wanted, *texts) == ["2017-11-05 04:59:59", expected, "2017-11-05 07:00:00"]


def test_a_text_that_names_its_zone_needs_no_other(spark: SparkSession) -> None:
    wanted = column("TIMESTAMP", format="yyyy-MM-dd'T'HH:mm:ssXXX", defaultTimezone="America/New_York")
    texts = ("2017-03-12T02:30:00+01:00", "2017-03-12T02:30:00Z", "2017-03-12T02:30:00")
    assert parsed(spark, wanted, *texts) == ["2017-03-12 01:30:00", "2017-03-12 02:30:00", None]


def test_a_time_in_another_declared_format_is_read(spark: SparkSession) -> None:
    wanted = column("TIMESTAMP", format="dd/MM/yyyy HH:mm")
    assert parsed(spark, wanted, "31/01/2017 23:59", "2017-01-31 23:59:00") == ["2017-01-31 23:59:00", None]


def test_a_string_is_what_it_is(spark: SparkSession) -> None:
    assert parsed(spark, column("STRING"), "Zoë", "1", None) == ["Zoë", "1", None]


def test_a_null_token_that_looks_like_a_value_stands_for_nothing(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(text,) for text in ("-999", "7", "NA")], "text STRING")
    found = frame.select(parse(F.col("text"), column("INT64"), ("-999", "NA"))).collect()
    assert [row[0] for row in found] == [None, 7, None]
