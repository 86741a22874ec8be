"""A contract document becomes a typed contract, or says what it lacks."""

import copy
import re
from typing import Any

import pytest

from medallion.contracts import Constraint, Contract
from medallion.errors import ConfigError
from medallion.odcs import load_contract, parse_contract


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(load_contract("customer_transactions"))


@pytest.fixture
def contract(document: dict[str, Any]) -> Contract:
    return parse_contract(document, "a.yaml")


def test_the_key_keeps_its_declared_order(contract: Contract) -> None:
    assert contract.key == ("order_id", "product_id")


def test_another_type_or_protection_of_its_key_makes_another_identity(document: dict[str, Any]) -> None:
    columns = document["schema"][0]["properties"]
    (product,) = [column for column in columns if column["name"] == "product_id"]
    product |= {"physicalType": "STRING", "logicalTypeOptions": {}, "classification": "personal"}
    assert parse_contract(document, "a.yaml").identity == "order_id INT64, product_id STRING hash"


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
    place, types = "schema.0.properties.2.physicalType", r"INT64, NUMERIC, .* or TIMESTAMP"
    with pytest.raises(ConfigError, match=rf"a.yaml: {place}: expected {types}, got 'MONEY'"):
        parse_contract(document, "a.yaml")


@pytest.mark.parametrize(
    ("physical_type", "expected"),
    [
        ("INT64(3, 2)", "INT64, NUMERIC, "),
        ("NUMERIC(12, 10)", "at most 29 digits before the point and 9 behind it"),
        ("NUMERIC(32, 2)", "at most 29 digits before the point"),
        ("NUMERIC(2, 3)", "at most 29 digits before the point"),
        ("NUMERIC(0, 0)", "at most 29 digits before the point"),
    ],
)
def test_a_type_that_bigquery_does_not_have_is_named(
    document: dict[str, Any], physical_type: str, expected: str
) -> None:
    document["schema"][0]["properties"][2]["physicalType"] = physical_type
    with pytest.raises(ConfigError, match=rf"{re.escape(expected)}.*got '{re.escape(physical_type)}'"):
        parse_contract(document, "a.yaml")


@pytest.mark.parametrize("widest", ["NUMERIC(38, 9)", "NUMERIC(31, 2)", "NUMERIC(1, 0)", "NUMERIC(3, 3)"])
def test_a_numeric_may_have_all_the_digits_of_bigquerys(document: dict[str, Any], widest: str) -> None:
    document["schema"][0]["properties"][2].update(physicalType=widest, logicalTypeOptions={})
    assert parse_contract(document, "a.yaml").columns[2].physical_type == widest


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


def column(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A column of the document, to be changed."""
    (found,) = [item for item in document["schema"][0]["properties"] if item["name"] == name]
    return found


def custom(**values: Any) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in values.items()]


def test_constraints_go_by_the_standards_words(contract: Contract) -> None:
    (quantity,) = [column for column in contract.columns if column.name == "quantity"]
    assert quantity.constraints == (Constraint("minimum", 0),)


def test_a_list_of_valid_values_is_a_constraint_with_its_severity(document: dict[str, Any]) -> None:
    rule = {
        "metric": "invalidValues",
        "arguments": {"validValues": [1, 2]},
        "mustBe": 0,
        "severity": "warning",
    }
    column(document, "agent_id")["quality"] = [rule]
    (agent,) = [item for item in parse_contract(document, "a.yaml").columns if item.name == "agent_id"]
    assert agent.constraints[-1] == Constraint("validValues", [1, 2], "warning")


def test_a_rule_over_the_row_is_read(document: dict[str, Any]) -> None:
    rule = {
        "type": "custom",
        "engine": "spark",
        "name": "discounted",
        "implementation": "discounts <= gross_sales",
    }
    document["schema"][0]["quality"] = [rule]
    (found,) = parse_contract(document, "a.yaml").rules
    assert (found.name, found.condition, found.severity) == (
        "discounted",
        "discounts <= gross_sales",
        "error",
    )


def test_a_reference_names_dataset_and_key(document: dict[str, Any]) -> None:
    severity = custom(severity="warning")
    column(document, "product_id")["relationships"] = [{"to": "products.id", "customProperties": severity}]
    (found,) = parse_contract(document, "a.yaml").references
    assert (found.column, found.dataset, found.key, found.severity) == (
        "product_id",
        "products",
        "id",
        "warning",
    )


def test_personal_columns_are_hashed_unless_they_are_dropped(document: dict[str, Any]) -> None:
    extra = {"physicalType": "STRING", "classification": "personal"}
    document["schema"][0]["properties"] += [
        {"name": "email", **extra},
        {"name": "phone", **extra, "customProperties": custom(protection="drop")},
    ]
    contract = parse_contract(document, "a.yaml")
    assert [item.protection for item in contract.columns[-2:]] == ["hash", "drop"]
    assert [item.name for item in contract.stored_columns][-2:] == ["order_hour", "email"]


@pytest.mark.parametrize(
    ("name", "parts", "message"),
    [
        (
            "quantity",
            {"logicalTypeOptions": {"minimun": 0}},
            r"properties.5.logicalTypeOptions: expected .*minimum.*, got 'minimun'",
        ),
        (
            "quantity",
            {"customProperties": custom(nulls="x")},
            r"properties.5.customProperties.nulls: expected one of trim, .*, got 'nulls'",
        ),
        (
            "ordered_at",
            {"customProperties": custom(ambiguousTime="any")},
            r"ambiguousTime: expected one of earlier, later, reject, got 'any'",
        ),
        (
            "quantity",
            {"quality": [{"metric": "rowCount", "mustBe": 1}]},
            "quality.0: expected metric: invalid",
        ),
        ("quantity", {"relationships": [{"to": "nowhere"}]}, r"relationships.to: expected dataset.column"),
        (
            "quantity",
            {"relationships": [{"to": "a.b"}, {"to": "c.d"}]},
            r"relationships: expected one at most",
        ),
        (
            "quantity",
            {"classification": "personal"},
            "physicalType: expected STRING, for a column that is hash",
        ),
        (
            "product_id",
            {"classification": "personal", "customProperties": custom(protection="drop")},
            "product_id.protection: expected hash, for a key",
        ),
        ("quantity", {"name": "row_hash"}, "properties.5.name: expected a name without __"),
        ("quantity", {"name": "Raw"}, "properties.5.name: expected a name without __"),
    ],
)
def test_what_the_platform_does_not_know_is_named(
    document: dict[str, Any], name: str, parts: dict[str, Any], message: str
) -> None:
    column(document, name).update(parts)
    with pytest.raises(ConfigError, match=message):
        parse_contract(document, "a.yaml")


@pytest.mark.parametrize(
    ("name", "value"),
    [("encoding", "EBCDIC"), ("newColumns", "maybe"), ("multiline", "yes"), ("delimeter", ";")],
)
def test_the_tables_own_properties_are_checked(document: dict[str, Any], name: str, value: str) -> None:
    document["schema"][0]["customProperties"] += custom(**{name: value})
    with pytest.raises(ConfigError, match=rf"schema.0.customProperties.{name}: expected one of .*, got"):
        parse_contract(document, "a.yaml")


def test_a_delete_flag_is_a_column_that_is_true_or_false(document: dict[str, Any]) -> None:
    document["schema"][0]["customProperties"] += custom(deleteFlag="quantity")
    with pytest.raises(
        ConfigError, match="deleteFlag: expected a BOOL column: there is none, got 'quantity'"
    ):
        parse_contract(document, "a.yaml")
    column(document, "quantity").update(physicalType="BOOL", logicalTypeOptions={})
    assert parse_contract(document, "a.yaml").delete_flag == "quantity"


@pytest.mark.parametrize("name", ["order_hour", "ORDER_HOUR", "agent_id"])
def test_a_name_is_one_columns_though_it_is_derived(document: dict[str, Any], name: str) -> None:
    derived = {"name": name, "physicalType": "INT64", "transformLogic": "HOUR(ordered_at)"}
    document["schema"][0]["properties"].append(derived)
    with pytest.raises(ConfigError, match=r"\.name: expected a name that no other column has, .*, got "):
        parse_contract(document, "a.yaml")


@pytest.mark.parametrize("delimiter", ["", ";;", '"'])
def test_a_delimiter_is_one_character_and_no_quote(document: dict[str, Any], delimiter: str) -> None:
    document["schema"][0]["customProperties"] += custom(delimiter=delimiter)
    with pytest.raises(ConfigError, match="delimiter: expected one character other than a quote"):
        parse_contract(document, "a.yaml")


def test_a_second_schema_object_is_refused(document: dict[str, Any]) -> None:
    document["schema"].append(document["schema"][0])
    with pytest.raises(ConfigError, match=r"a.yaml: schema: expected one schema object"):
        parse_contract(document, "a.yaml")


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"unique": True}, r"properties.3.unique: expected no unique"),
        (
            {"transformSourceObjects": ["Agent_ID"]},
            r"transformSourceObjects: expected a name that .*'Agent_ID'",
        ),
        ({"transformSourceObjects": ["PRODUCT_ID"]}, r"expected a name that product_id is not read from"),
        ({"logicalTypeOptions": {"timezone": True}}, r"logicalTypeOptions: expected .*got 'timezone'"),
        (
            {"customProperties": [{"property": "falseTokens", "value": [0]}]},
            r"falseTokens: expected a list of texts",
        ),
        (
            {
                "relationships": [{"to": "agents.agent_id"}],
                "customProperties": [{"property": "protection", "value": "drop"}],
            },
            r"relationships: expected none, for a column that is hashed or dropped, got 'agents'",
        ),
    ],
)
def test_what_no_run_would_keep_to_is_refused(
    document: dict[str, Any], parts: dict[str, Any], told: str
) -> None:
    document["schema"][0]["properties"][3].update(parts)
    with pytest.raises(ConfigError, match=told):
        parse_contract(document, "a.yaml")
