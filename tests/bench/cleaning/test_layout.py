"""What the other contenders hold rows to is what the contract says."""

from typing import Any

import pytest
import yaml

from bench.cleaning.layout import DERIVED, FIELDS, KEY, ORDER_BY, TIMESTAMP_FORMAT
from medallion.documents import CONF

TYPES = {"BIGINT": "INT64", "DECIMAL(12,2)": "NUMERIC(12, 2)", "TIMESTAMP": "TIMESTAMP"}


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """The table of the sample's contract."""
    document = yaml.safe_load((CONF / "contracts" / "customer_transactions.yaml").read_text())
    return document["schema"][0]


def test_fields_have_the_sources_types_and_limits_of_the_contract(table: dict[str, Any]) -> None:
    agreed = {
        column["name"]: (
            column.get("transformSourceObjects", [column["name"]]),
            column["physicalType"],
            column["required"],
            column["logicalTypeOptions"],
        )
        for column in table["properties"]
        if "transformLogic" not in column
    }
    time = {"format": TIMESTAMP_FORMAT, "defaultTimezone": "Etc/UTC"}
    assert agreed == {
        field.column: (
            [field.source],
            TYPES[field.type],
            True,
            time if field.minimum is None else {"minimum": field.minimum},
        )
        for field in FIELDS
    }


def test_derived_columns_are_those_of_the_contract(table: dict[str, Any]) -> None:
    columns = [column for column in table["properties"] if "transformLogic" in column]
    assert {column["name"]: column["transformLogic"] for column in columns} == DERIVED


def test_key_and_order_are_those_of_the_contract(table: dict[str, Any]) -> None:
    assert tuple(column["name"] for column in table["properties"] if column.get("primaryKey")) == KEY
    assert {"property": "orderBy", "value": ORDER_BY} in table["customProperties"]
