"""A contract document becomes a typed contract, or says what it lacks."""

import copy
from typing import Any

import pytest

from medallion.contracts import Contract, load_contract, parse_contract
from medallion.errors import ConfigError


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(load_contract("customer_transactions"))


@pytest.fixture
def contract(document: dict[str, Any]) -> Contract:
    return parse_contract(document, "a.yaml")


def test_the_key_keeps_its_declared_order(contract: Contract) -> None:
    assert contract.key == ("order_id", "product_id")


def test_money_has_its_scale(contract: Contract) -> None:
    (net_sales,) = [column for column in contract.columns if column.name == "net_sales"]
    assert (net_sales.physical_type, net_sales.precision, net_sales.scale) == ("NUMERIC(12, 2)", 12, 2)


def test_a_column_goes_by_its_own_name_and_by_its_sources(contract: Contract) -> None:
    assert contract.columns[0].sources == ("order_id", "basket_id")


def test_derived_columns_are_told_from_read_ones(contract: Contract) -> None:
    assert [column.name for column in contract.derived_columns] == [
        "discounts",
        "gross_sales",
        "order_date",
        "order_hour",
    ]
    assert len(contract.read_columns) == 10


def test_any_change_changes_the_fingerprint(document: dict[str, Any], contract: Contract) -> None:
    document["schema"][0]["properties"][0]["description"] = "mended"
    assert parse_contract(document, "a.yaml").fingerprint != contract.fingerprint


def test_an_unknown_type_is_named(document: dict[str, Any]) -> None:
    document["schema"][0]["properties"][2]["physicalType"] = "MONEY"
    with pytest.raises(ConfigError, match=r"a.yaml: schema.0.properties.2.physicalType: .*got 'MONEY'"):
        parse_contract(document, "a.yaml")


def test_a_contract_needs_a_key(document: dict[str, Any]) -> None:
    for item in document["schema"][0]["properties"]:
        item.pop("primaryKey", None)
    with pytest.raises(ConfigError, match="at least one column with primaryKey"):
        parse_contract(document, "a.yaml")


def test_the_order_column_must_exist(document: dict[str, Any]) -> None:
    document["schema"][0]["customProperties"] = [{"property": "orderBy", "value": "nowhere"}]
    with pytest.raises(ConfigError, match=r"orderBy: expected the name of a column, got 'nowhere'"):
        parse_contract(document, "a.yaml")


def test_a_time_needs_its_format(document: dict[str, Any]) -> None:
    document["schema"][0]["properties"][4]["logicalTypeOptions"].pop("format")
    with pytest.raises(ConfigError, match=r"properties.4.logicalTypeOptions.format: expected a pattern"):
        parse_contract(document, "a.yaml")


def test_a_key_must_be_required(document: dict[str, Any]) -> None:
    document["schema"][0]["properties"][1]["required"] = False
    with pytest.raises(ConfigError, match=r"product_id.required: expected true"):
        parse_contract(document, "a.yaml")
