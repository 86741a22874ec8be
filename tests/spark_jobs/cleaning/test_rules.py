"""What breaks a rule, what doesn't, and what a reason says."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.spark_jobs.conftest import HEADER, ROW, Bronze, Rows, broken, changed

GOOD = {"number": "1", "changed_at": "2017-01-01 12:00:00", "amount": "1.00", "code": "AB"}


def land(bronze: Bronze, **texts: str) -> Any:
    """A file of one row, good but for some texts."""
    return bronze.land_rows("a.csv", ",".join({**GOOD, **texts}.values()))


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("number", "", "required"),
        ("number", "one", "type"),
        ("number", "0", "minimum"),
        ("changed_at", "yesterday", "type"),
        ("amount", "1.005", "type"),
        ("amount", "-0.01", "minimum"),
        ("amount", "5000.01", "maximum"),
        ("code", "ABCD", "maxLength"),
        ("code", "ab", "pattern"),
        ("code", "AB1", "pattern"),
    ],
)
def test_a_broken_rule_names_column_rule_and_value(
    rows: Rows, bronze: Bronze, column: str, text: str, rule: str
) -> None:
    name = "id" if column == "number" else column
    assert broken(rows(land(bronze, **{column: text}))) == [[(name, rule, text or None)]]


@pytest.mark.parametrize(
    ("column", "text"),
    [("number", "1"), ("amount", "0"), ("amount", "5000.00"), ("code", "ABC"), ("code", "")],
)
def test_a_bound_itself_and_an_optional_null_are_sound(
    rows: Rows, bronze: Bronze, column: str, text: str
) -> None:
    assert broken(rows(land(bronze, **{column: text}))) == []


def test_every_broken_rule_is_named(rows: Rows, bronze: Bronze) -> None:
    assert broken(rows(land(bronze, number="", amount="-1", code="a"))) == [
        [
            ("id", "required", None),
            ("amount", "minimum", "-1"),
            ("code", "minLength", "a"),
            ("code", "pattern", "a"),
        ]
    ]


@pytest.mark.parametrize(
    ("options", "sound", "unsound"),
    [
        ({"exclusiveMinimum": 1}, "1.01", "1.00"),
        ({"exclusiveMaximum": 1}, "0.99", "1.00"),
        ({"multipleOf": 0.05}, "1.15", "1.16"),
        ({"minimum": 0.1}, "0.10", "0.09"),
    ],
)
def test_numbers_have_bounds(
    rows: Rows, bronze: Bronze, document: dict[str, Any], options: dict[str, Any], sound: str, unsound: str
) -> None:
    document = changed(document, "amount", logicalTypeOptions=options)
    assert broken(rows(land(bronze, amount=sound), document=document)) == []
    (rule,) = options
    assert broken(rows(land(bronze, amount=unsound), document=document)) == [[("amount", rule, unsound)]]


@pytest.mark.parametrize(
    ("timezone", "minimum"),
    [
        ("Etc/UTC", "2017-01-01 12:00:00"),
        ("America/New_York", "2017-01-01 12:00:00"),
        ("America/New_York", "2017-01-01T17:00:00Z"),
    ],
)
def test_times_have_bounds(
    rows: Rows, bronze: Bronze, document: dict[str, Any], timezone: str, minimum: str
) -> None:
    options = {"format": "yyyy-MM-dd HH:mm:ss", "defaultTimezone": timezone, "minimum": minimum}
    document = changed(document, "changed_at", logicalTypeOptions=options)
    assert broken(rows(land(bronze), document=document)) == []
    early = "2017-01-01 11:59:59"
    found = broken(rows(land(bronze, changed_at=early), document=document))
    assert found == [[("changed_at", "minimum", early)]]


def invalid_values(severity: str = "error", **arguments: Any) -> dict[str, Any]:
    return {"metric": "invalidValues", "arguments": arguments, "mustBe": 0, "severity": severity}


def test_a_value_must_be_one_of_those_listed(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    document = changed(document, "code", quality=[invalid_values(validValues=["AB", "CD"])])
    assert broken(rows(land(bronze, code="CD"), document=document)) == []
    assert broken(rows(land(bronze, code="EF"), document=document)) == [[("code", "validValues", "EF")]]


def test_listed_values_are_compared_as_values(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    document = changed(document, "amount", quality=[invalid_values(validValues=[1, 2.5])])
    assert broken(rows(land(bronze, amount="2.50"), document=document)) == []
    assert broken(rows(land(bronze, amount="2.00"), document=document)) == [
        [("amount", "validValues", "2.00")]
    ]


def test_alternatives_of_a_pattern_hold_for_the_whole_text(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    document = changed(document, "code", logicalTypeOptions={"pattern": "A|BC"})
    assert broken(rows(land(bronze, code="BC"), document=document)) == []
    assert broken(rows(land(bronze, code="ABC"), document=document)) == [[("code", "pattern", "ABC")]]


def test_a_line_end_is_part_of_the_text_that_a_pattern_is_held_to(rows: Rows, bronze: Bronze) -> None:
    file = bronze.land(
        "a.jsonl", '{"number": 1, "changed_at": "2017-01-01 12:00:00", "amount": 1, "code": "AB\\n"}'
    )
    assert broken(rows(file)) == [[("code", "pattern", "AB\n")]]


def row_rule(condition: str, severity: str = "error") -> list[dict[str, Any]]:
    rule = {"name": "small_at_first", "type": "custom", "engine": "spark", "severity": severity}
    return [{**rule, "implementation": condition}]


def test_a_rule_over_several_columns_names_itself(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    document = changed(document, quality=row_rule("id > 9 OR amount < 100"))
    assert broken(rows(land(bronze, amount="99"), document=document)) == []
    found = broken(rows(land(bronze, amount="100", code="a"), document=document))
    assert found == [
        [
            ("code", "minLength", "a"),
            ("code", "pattern", "a"),
            ("", "small_at_first", "1,2017-01-01 12:00:00,100,a"),
        ]
    ]


def test_a_rule_that_cannot_tell_is_met(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    document = changed(document, quality=row_rule("code < 'A'"))
    assert broken(rows(land(bronze, code=""), document=document)) == []


def test_a_warning_keeps_the_row(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    warn = invalid_values("warning", validValues=["CD"])
    document = changed(changed(document, "code", quality=[warn]), quality=row_rule("amount > 1", "warning"))
    (row,) = rows(land(bronze), document=document).collect()
    assert (row["status"], row["reasons"]) == ("valid", None)


def test_a_local_time_that_never_was_says_so(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    options = {"format": "yyyy-MM-dd HH:mm:ss", "defaultTimezone": "America/New_York"}
    document = changed(document, "changed_at", logicalTypeOptions=options)
    skipped, nonsense = "2017-03-12 02:30:00", "2017-03-12 25:30:00"
    assert broken(rows(land(bronze, changed_at=skipped), document=document)) == [
        [("changed_at", "localTime", skipped)]
    ]
    assert broken(rows(land(bronze, changed_at=nonsense), document=document)) == [
        [("changed_at", "type", nonsense)]
    ]
    too_late = "9999-12-31 23:59:59"  # in UTC it is the year 10000
    assert broken(rows(land(bronze, changed_at=too_late), document=document)) == [
        [("changed_at", "type", too_late)]
    ]


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_reference_must_be_found_in_the_other_dataset(
    spark: SparkSession, rows: Rows, bronze: Bronze, document: dict[str, Any], tmp_path: Path, severity: str
) -> None:
    spark.createDataFrame([("AB",), ("AB",), ("CD",)], "code_id STRING").write.parquet(f"{tmp_path}/codes")
    relationship = {"to": "codes.code_id", "customProperties": [{"property": "severity", "value": severity}]}
    document = changed(document, "code", relationships=[relationship])
    lines = [
        f"{number},2017-01-01 12:00:00,1.00,{code}" for number, code in enumerate(("AB", "XY", ""), start=1)
    ]
    file = bronze.land_rows("a.csv", *lines)
    found = rows(file, document=document, references={"codes": f"{tmp_path}/codes"})
    assert found.count() == 3
    expected = [[("code", "reference:codes", "XY")]] if severity == "error" else []
    assert broken(found) == expected


def test_a_column_that_has_a_reference_beside_it_may_be_called_key(
    spark: SparkSession, rows: Rows, bronze: Bronze, document: dict[str, Any], tmp_path: Path
) -> None:
    spark.createDataFrame([("AB",)], "code_id STRING").write.parquet(f"{tmp_path}/codes")
    document = changed(document, "code", relationships=[{"to": "codes.code_id"}])
    document["schema"][0]["properties"].append({"name": "key", "physicalType": "STRING"})
    file = bronze.land_rows("a.csv", f"{ROW},k", header=f"{HEADER},key")
    (row,) = rows(file, document=document, references={"codes": f"{tmp_path}/codes"}).collect()
    assert (row["status"], row["key"]) == ("valid", "k")


def test_a_contract_may_have_more_rules_than_an_integer_has_bits(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    rules = [{**row_rule(f"id != {number}")[0], "name": f"not_{number}"} for number in range(140)]
    document = changed(document, quality=rules)
    for number in (1, 61, 62, 63, 139):
        found = broken(rows(land(bronze, number=str(number)), document=document))
        assert found == [[("", f"not_{number}", f"{number},2017-01-01 12:00:00,1.00,AB")]]
