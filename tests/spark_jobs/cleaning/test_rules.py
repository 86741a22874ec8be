"""What breaks a rule, what doesn't, and what a reason says."""

import dataclasses
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Contract, parse_contract
from spark_jobs.cleaning.parsing import parse
from spark_jobs.cleaning.rules import TEXT, any_broken, derived_rules, read_rules, reasons, shape_rule

GOOD = {"id": "1", "changed_at": "2017-01-01 12:00:00", "amount": "1.00", "code": "AB"}


def broken(spark: SparkSession, contract: Contract, **texts: str | None) -> list[tuple[str, str, str]]:
    """The reasons of a good row in which some texts are others."""
    row = {f"{TEXT}{name}": text for name, text in {**GOOD, **texts}.items()}
    frame = spark.createDataFrame([tuple(row.values())], ", ".join(f"{name} STRING" for name in row))
    typed = {column.name: parse(F.col(TEXT + column.name), column) for column in contract.read_columns}
    found = frame.withColumns(typed).select(reasons(read_rules(contract))).first()[0]
    return [tuple(reason) for reason in found]


def test_a_good_row_breaks_nothing(spark: SparkSession, contract: Contract) -> None:
    assert broken(spark, contract) == []


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("id", None, "required"),
        ("id", "one", "type"),
        ("id", "0", "minimum"),
        ("changed_at", "yesterday", "type"),
        ("amount", "1.005", "type"),
        ("amount", "-0.01", "minimum"),
        ("amount", "5000.01", "maximum"),
        ("code", "ABCD", "maxLength"),
        ("code", "ab", "pattern"),
    ],
)
def test_a_broken_rule_names_column_rule_and_value(
    spark: SparkSession, contract: Contract, column: str, text: str | None, rule: str
) -> None:
    assert broken(spark, contract, **{column: text}) == [(column, rule, text)]


@pytest.mark.parametrize(
    ("column", "text"),
    [("id", "1"), ("amount", "0"), ("amount", "5000.00"), ("code", "ABC"), ("code", None)],
)
def test_a_bound_itself_and_an_optional_null_are_sound(
    spark: SparkSession, contract: Contract, column: str, text: str | None
) -> None:
    assert broken(spark, contract, **{column: text}) == []


def test_every_broken_rule_is_named(spark: SparkSession, contract: Contract) -> None:
    assert broken(spark, contract, id=None, amount="-1", code="a") == [
        ("id", "required", None),
        ("amount", "minimum", "-1"),
        ("code", "minLength", "a"),
        ("code", "pattern", "a"),
    ]


def test_a_pattern_holds_for_the_whole_text(spark: SparkSession, contract: Contract) -> None:
    assert broken(spark, contract, code="AB1") == [("code", "pattern", "AB1")]


def test_alternatives_of_a_pattern_hold_for_the_whole_text(
    spark: SparkSession, document: dict[str, Any], contract: Contract
) -> None:
    columns = [dataclasses.replace(c, pattern="A|BC") if c.name == "code" else c for c in contract.columns]
    either = dataclasses.replace(contract, columns=tuple(columns))
    assert broken(spark, either, code="BC") == []
    assert broken(spark, either, code="ABC") == [("code", "pattern", "ABC")]


def test_a_shape_reason_keeps_the_first_200_characters(spark: SparkSession) -> None:
    rule = shape_rule(F.lit(True), F.lit("x" * 300))
    assert spark.range(1).select(rule.reason()).first()[0].asDict() == {
        "column": "",
        "rule": "shape",
        "value": "x" * 200,
    }


def test_a_derived_column_is_required_where_the_contract_says_so(contract: Contract) -> None:
    assert [(rule.column, rule.name) for rule in derived_rules(contract)] == [("day", "required")]


def test_no_rule_is_broken_by_none(spark: SparkSession) -> None:
    assert spark.range(1).select(any_broken([])).first()[0] is False


def test_a_string_without_options_is_only_required(document: dict[str, Any]) -> None:
    plain = {"name": "x", "physicalType": "STRING", "primaryKey": True, "required": True}
    table = {"properties": [plain], "customProperties": [{"property": "orderBy", "value": "x"}]}
    rules = read_rules(parse_contract({**document, "schema": [table]}, "plain"))
    assert [(rule.column, rule.name) for rule in rules] == [("x", "required")]
