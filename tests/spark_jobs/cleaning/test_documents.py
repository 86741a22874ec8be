"""JSON documents become JSON Lines, a row for each record, with every digit."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion.odcs import parse_contract
from spark_jobs.cleaning.documents import DocumentError, read_document, rows
from spark_jobs.cleaning.files import inspect
from tests.spark_jobs.conftest import Bronze, Rows, changed

URI = "gs://bronze/weather/city=berlin/period=2026-01-31/1.json"


@pytest.fixture
def weather(document: dict[str, Any]) -> dict[str, Any]:
    """A contract document whose rows are at hourly."""
    weather = changed(document, custom={"records": "hourly"})
    texts = [{"name": name, "physicalType": "STRING"} for name in ("city", "period", "latitude", "time")]
    weather["schema"][0]["properties"] += texts
    return weather


def lines(spark: SparkSession, bronze: Bronze, weather: dict[str, Any], text: str) -> tuple[str, str | None]:
    contract = parse_contract(weather, "weather.yaml")
    uri = bronze.land("1.json", text).uri
    found, fault = read_document(spark, uri, uri, contract)
    return found.decode(), fault


def test_lists_that_belong_together_become_rows_with_what_is_around_them(weather: dict[str, Any]) -> None:
    text = b'{"latitude": 52.5, "elevation": 38, "hourly": {"time": ["0", "1"], "rain": [0.10, null]}}'
    found = list(rows(text, URI, parse_contract(weather, "weather.yaml")))
    around = {"city": "berlin", "period": "2026-01-31", "latitude": "52.5"}
    assert found == [
        {**around, "time": "0", "rain": "0.10"},
        {**around, "time": "1", "rain": None},
    ]


def test_objects_in_a_list_are_rows_whose_own_fields_come_first(weather: dict[str, Any]) -> None:
    text = b'[{"hourly": [{"time": "0", "city": "bonn"}]}, {"hourly": [{"time": "1"}]}]'
    found = list(rows(text, URI, parse_contract(weather, "weather.yaml")))
    assert [(row["city"], row["time"]) for row in found] == [("bonn", "0"), ("berlin", "1")]


def test_numbers_keep_their_digits_and_texts_their_letters(
    spark: SparkSession, bronze: Bronze, weather: dict[str, Any]
) -> None:
    text = (
        '{"hourly": [{"a": 1.10, "b": 12345678901234567890.123, "c": "ü\\n", "d": {"e": [1.0, null, true]}}]}'
    )
    expected = '{"a": 1.10, "b": 12345678901234567890.123, "c": "ü\\n", "d": {"e": [1.0, null, true]}}\n'
    assert lines(spark, bronze, weather, text) == (expected, None)


def test_what_is_around_a_row_is_known_whatever_its_case(weather: dict[str, Any]) -> None:
    text = b'{"CITY": "bonn", "Latitude": 1, "hourly": [{"LATITUDE": 2, "Time": "0"}]}'
    found = list(rows(text, URI, parse_contract(weather, "weather.yaml")))
    assert found == [{"period": "2026-01-31", "CITY": "bonn", "LATITUDE": "2", "Time": "0"}]


@pytest.mark.parametrize(
    ("encoding", "codec", "mark"),
    [
        ("ISO-8859-1", "iso-8859-1", ""),
        ("UTF-16", "utf-16", ""),  # which writes a mark of its own
        ("UTF-16", "utf-16-be", ""),
        ("UTF-16LE", "utf-16-le", "\ufeff"),
    ],
)
def test_a_document_is_read_in_the_contracts_encoding(
    rows: Rows, bronze: Bronze, weather: dict[str, Any], encoding: str, codec: str, mark: str
) -> None:
    row = '{"number": 1, "changed_at": "2017-01-01 12:00:00", "amount": 1.10, "city": "Malm\u00f6"}'
    file = bronze.land("1.json", f'{mark}{{"hourly": [{row}]}}'.encode(codec))
    (found,) = rows(file, document=changed(weather, custom={"encoding": encoding})).collect()
    assert (found["status"], found["city"], str(found["amount"])) == ("valid", "Malm\u00f6", "1.10")


def test_a_document_in_another_encoding_is_unreadable(
    spark: SparkSession, bronze: Bronze, weather: dict[str, Any]
) -> None:
    contract = parse_contract(changed(weather, custom={"encoding": "US-ASCII"}), "weather.yaml")
    file = bronze.land("1.json", '{"hourly": [{"city": "Malm\u00f6"}]}')
    (found,) = inspect(spark, [file], contract, f"{bronze.folder}/unpacked")
    assert found.reason == "unreadable: java.nio.charset.MalformedInputException: Input length = 1"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"hourly": {"time": ["0"', "wrong document: no JSON: Expecting"),
        ('{"hourly": [{"a": NaN}]}', "wrong document: no JSON: NaN"),
        ('{"hourly": [{"a": 1, "a": 2}]}', "wrong document: no JSON: a key twice in one object"),
        ("[1]", "wrong document: expected an object, got a Number"),
        ('{"daily": {}}', "wrong document: nothing at 'hourly'"),
        ('{"hourly": null}', "wrong document: 'hourly': expected a list of objects or an object of lists"),
        ('{"hourly": [1]}', "wrong document: 'hourly': expected a list of objects"),
        ('{"hourly": {"a": [1], "b": []}}', "wrong document: 'hourly': expected lists of one length"),
        ('{"hourly": [{"a": ' + "[" * 700 + "]" * 700 + "}]}", "wrong document: maximum recursion depth"),
        ('{"hourly": []}', "no rows: the document has no records"),
        ('{"hourly": {"time": []}}', "no rows: the document has no records"),
    ],
)  # fmt: skip
def test_a_document_without_rows_says_why(
    spark: SparkSession, bronze: Bronze, weather: dict[str, Any], text: str, fault: str
) -> None:
    found, told = lines(spark, bronze, weather, text)
    assert found == ""
    assert told is not None and told.startswith(fault)


def test_a_document_that_is_too_long_is_not_taken_apart(
    spark: SparkSession, bronze: Bronze, weather: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.cleaning.documents.MAX_BYTES", 20)
    _, fault = lines(spark, bronze, weather, '{"hourly": [{"a": 1}]}')
    assert fault == "too long: a document of over 20 bytes"


def test_the_place_of_records_is_looked_up_by_its_names(weather: dict[str, Any]) -> None:
    weather["schema"][0]["customProperties"][-1]["value"] = "data.items"
    contract = parse_contract(weather, "weather.yaml")
    assert list(rows(b'{"data": {"items": [{"a": 1}]}}', "1.json", contract)) == [{"a": "1"}]
    with pytest.raises(DocumentError, match=r"nothing at 'data\.items'"):
        list(rows(b'{"data": []}', "1.json", contract))


def test_half_of_a_character_stays_the_escape_that_it_was(
    spark: SparkSession, bronze: Bronze, weather: dict[str, Any]
) -> None:
    found, fault = lines(spark, bronze, weather, '{"hourly": [{"a": "\\ud83d"}]}')
    assert (found, fault) == ('{"a": "\\ud83d"}\n', None)
