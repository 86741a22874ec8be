"""Bounds and valid values that are not of their column's type are refused."""

import copy
from typing import Any

import pytest

from medallion.errors import ConfigError
from medallion.odcs import load_contract, parse_contract


def document(sql_type: str, **parts: Any) -> dict[str, Any]:
    """A contract whose last column is of this type."""
    document = copy.deepcopy(load_contract("customer_transactions"))
    document["schema"][0]["properties"].append({"name": "last", "physicalType": sql_type, **parts})
    return document


def minimum(sql_type: str, value: Any) -> dict[str, Any]:
    options = {"format": "yyyy-MM-dd HH:mm:ss"} if sql_type == "TIMESTAMP" else {}
    return document(sql_type, logicalTypeOptions={**options, "minimum": value})


@pytest.mark.parametrize(
    ("sql_type", "value", "expected"),
    [
        ("INT64", 0.5, "integers of 64 bits"),
        ("INT64", 2**63, "integers of 64 bits"),
        ("INT64", True, "integers of 64 bits"),
        ("NUMERIC(6, 2)", "n/a", r"numbers of NUMERIC\(6, 2\)"),
        ("NUMERIC(6, 2)", 0.005, r"numbers of NUMERIC\(6, 2\)"),
        ("NUMERIC(6, 2)", 10_000, r"numbers of NUMERIC\(6, 2\)"),
        ("FLOAT64", "1,5", "numbers"),
        ("FLOAT64", "1e999", "numbers"),
        ("BOOL", "maybe", "true or false"),
        ("DATE", "01/01/2017", "dates like 2017-01-31"),
        ("DATE", "2017-02-30", "dates like 2017-01-31"),
        ("TIMESTAMP", "12:30", "times like 2017-01-31 12:00:00"),
        ("TIMESTAMP", "2017-01-01 12:00:00-23:30", "times like 2017-01-31 12:00:00"),
        ("TIMESTAMP", "2017-01-01 25:00:00", "times like 2017-01-31 12:00:00"),
        ("STRING", 1, "texts, in quotes"),
    ],
)
def test_a_bound_of_another_type_is_refused(sql_type: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=rf"^a.yaml: last.minimum: expected {expected}, got {value!r}"):
        parse_contract(minimum(sql_type, value), "a.yaml")


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [
        ("INT64", -(2**63)),
        ("NUMERIC(6, 2)", -9999.99),
        ("NUMERIC", 1e-7),
        ("FLOAT64", "-1.5e-3"),
        ("BOOL", True),
        ("DATE", "2017-01-31"),
        ("TIMESTAMP", "2017-01-31"),
        ("TIMESTAMP", "2017-01-31 12:00:00"),
        ("TIMESTAMP", "2017-01-31T12:00:00.5Z"),
        ("STRING", "A"),
    ],
)
def test_a_bound_of_the_columns_type_is_taken(sql_type: str, value: Any) -> None:
    last = parse_contract(minimum(sql_type, value), "a.yaml").columns[-1]
    assert last.constraints[0].value == value


def test_one_valid_value_of_another_type_is_refused() -> None:
    quality = [{"metric": "invalidValues", "arguments": {"validValues": [1, 2, "n/a"]}, "mustBe": 0}]
    with pytest.raises(ConfigError, match=r"last.validValues: expected integers of 64 bits, got 'n/a'"):
        parse_contract(document("INT64", quality=quality), "a.yaml")


def test_valid_texts_are_those_that_the_file_shows() -> None:
    quality = [{"metric": "invalidValues", "arguments": {"validValues": ["yes", False]}, "mustBe": 0}]
    with pytest.raises(ConfigError, match=r"last.validValues: expected texts, in quotes, got False"):
        parse_contract(document("STRING", quality=quality), "a.yaml")


@pytest.mark.parametrize(("sql_type", "value"), [("INT64", 0), ("NUMERIC", -1), ("STRING", "2")])
def test_a_multiple_of_nothing_is_refused(sql_type: str, value: Any) -> None:
    unsound = document(sql_type, logicalTypeOptions={"multipleOf": value})
    with pytest.raises(ConfigError, match=rf"last.multipleOf: expected a number above 0.*, got {value!r}"):
        parse_contract(unsound, "a.yaml")
