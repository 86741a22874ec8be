"""SQL in contracts that Spark would refuse is told before a file lands."""

import copy
from typing import Any

import pytest
from pyspark.sql import SparkSession

from local.spark_sql import spark_problems
from medallion.odcs import load_contract, parse_contract

FILE = "conf/contracts/sales.yaml"


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(load_contract("sales"))


def problems(document: dict[str, Any], spark: SparkSession) -> list[str]:
    return [str(problem) for problem in spark_problems({"sales": parse_contract(document, FILE)}, spark)]


def derive(document: dict[str, Any], name: str, sql: str) -> str:
    """Gives a derived column another expression; returns where that stands."""
    columns = document["schema"][0]["properties"]
    (index,) = [index for index, item in enumerate(columns) if item["name"] == name]
    columns[index]["transformLogic"] = sql
    return f"schema.0.properties.{index}.transformLogic"


@pytest.mark.parametrize("name", ["bike_stations", "customer_transactions", "sales", "weather"])
def test_the_projects_own_contracts_have_no_problem(name: str, spark: SparkSession) -> None:
    contract = parse_contract(load_contract(name), f"conf/contracts/{name}.yaml")
    assert contract.derived_columns
    assert list(spark_problems({name: contract}, spark)) == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("quantity *", "Syntax error at or near end of input."),
        ("quantity; DELETE FROM x", "Syntax error at or near ';'"),
        ("quantity * unit_prize", "with name `unit_prize` cannot be resolved. Did you mean"),
        ("PRODUCT(quantity, unit_price)", "Cannot resolve function `PRODUCT`"),
        ("HOUR(ordered_at, 1)", "The `hour` requires 1 parameters but the actual number is 2."),
        ("SUM(quantity)", "GROUP BY"),
        ("gross_sales", "with name `gross_sales` cannot be resolved"),  # itself
    ],
)
def test_a_derived_column_is_sql_over_the_columns(
    document: dict[str, Any], spark: SparkSession, sql: str, reason: str
) -> None:
    key = derive(document, "gross_sales", sql)
    (problem,) = problems(document, spark)
    assert problem.startswith(f"{FILE}: {key}: expected Spark SQL over the columns, got ")
    assert reason in problem
    assert problem.endswith("Next: mend the file.")


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("quantity * unit_price", "decimal(31,2)"),
        ("CAST(quantity * unit_price AS DOUBLE)", "double"),
        ("CONCAT(quantity, ' pieces')", "string"),
        ("NULL", "void"),
    ],
)
def test_a_derived_column_is_of_its_declared_type(
    document: dict[str, Any], spark: SparkSession, sql: str, kind: str
) -> None:
    key = derive(document, "gross_sales", sql)
    assert problems(document, spark) == [
        f"{FILE}: {key}: expected an expression of type decimal(12,2), Spark's for NUMERIC(12, 2), got "
        f"{f'{sql}: {kind}'!r}. Next: write CAST(… AS decimal(12,2)), or declare another physicalType."
    ]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("discounts <", "Syntax error at or near end of input"),
        ("discount <= gross_sales", "with name `discount` cannot be resolved"),
        ("discounts + 1", "data type mismatch"),
    ],
)
def test_a_rule_over_the_row_is_a_condition(
    document: dict[str, Any], spark: SparkSession, sql: str, reason: str
) -> None:
    (rule,) = document["schema"][0]["quality"]
    rule["implementation"] = sql
    (problem,) = problems(document, spark)
    assert problem.startswith(
        f"{FILE}: schema.0.quality.{rule['name']}.implementation: expected a condition in Spark SQL, got "
    )
    assert reason in problem


@pytest.mark.parametrize(
    ("options", "at", "expected"),
    [
        (
            {"format": "YYYY-MM-dd"},
            "logicalTypeOptions.format",
            "a pattern of Spark's, like yyyy-MM-dd HH:mm:ss",
        ),
        (
            {"format": "yyyy-MM-dd'T"},
            "logicalTypeOptions.format",
            "a pattern of Spark's, like yyyy-MM-dd HH:mm:ss",
        ),
        ({"pattern": "(AB"}, "pattern", "a regular expression of Java's"),
    ],
)
def test_a_pattern_is_one_that_the_job_can_read_by(
    document: dict[str, Any], spark: SparkSession, options: dict[str, str], at: str, expected: str
) -> None:
    index = 3 if "format" in options else 0
    column = document["schema"][0]["properties"][index]
    column["logicalTypeOptions"] = options
    (got,) = options.values()
    (problem,) = problems(document, spark)
    assert problem.startswith(f"{FILE}: schema.0.properties.{index}")
    assert f"{at}: expected {expected}, got {got!r}" in problem
