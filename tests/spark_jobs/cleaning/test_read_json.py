"""JSON Lines: each line an object with keys of its own."""

import gzip
import json
from typing import Any

import pytest

from tests.spark_jobs.conftest import HEADER, Bronze, Rows, broken, changed

GOOD = {"number": 1, "changed_at": "2017-01-01 12:00:00", "amount": 1.5, "code": "AB"}


def line(**parts: Any) -> str:
    return json.dumps({**GOOD, **parts})


def test_an_object_is_a_row(rows: Rows, bronze: Bronze) -> None:
    (row,) = (
        rows(bronze.land("a.jsonl", line() + "\n"))
        .selectExpr("*", "CAST(amount AS STRING) AS shown")
        .collect()
    )
    assert (row["id"], row["shown"], row["code"], str(row["day"])) == (1, "1.50", "AB", "2017-01-01")
    assert (row["status"], row["raw"]) == ("valid", None)


def test_values_may_be_texts(rows: Rows, bronze: Bronze) -> None:
    found = rows(bronze.land("a.jsonl", line(number="1", amount="1.50") + "\n"))
    assert [row["status"] for row in found.collect()] == ["valid"]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("0.1", "valid"),
        ("1e2", "valid"),
        ("4999.990", "valid"),
        ("1.005", "rejected"),
        ("0.10000000000000000001", "rejected"),  # a double would lose the last digit
        ("4999.9900000000000001", "rejected"),
        ("1e-7", "rejected"),
        ("1e30", "rejected"),
        ("true", "rejected"),
        ("[1]", "rejected"),
        ('"1,50"', "rejected"),  # Spark would take it for 150
        ('"\u0661"', "rejected"),  # another script's digit
        ('"+1.50"', "valid"),
    ],
)
def test_a_decimal_is_read_digit_by_digit(rows: Rows, bronze: Bronze, number: str, status: str) -> None:
    content = line(amount="?").replace('"?"', number)
    assert [row["status"] for row in rows(bronze.land("a.jsonl", content)).collect()] == [status]


def test_no_digit_is_rounded_away_where_a_column_takes_many(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    wide = changed(document, "amount", physicalType="NUMERIC", logicalTypeOptions={})
    numbers = {
        "0.123456789": "0.123456789",
        "12345678901234567890": "12345678901234567890.000000000",
        "-1.50e1": "-15.000000000",
        "15000E-12": "0.000000015",
        f"1.5{'0' * 60}": "1.500000000",
        "0e-40": "0.000000000",
        "0.12345678949": None,
        "1e-40": None,
        "-1.5e-9": None,
        f"1.{'0' * 40}1": None,
        f"1.{'0' * 40}1e0": None,
    }
    lines = [line(number=n, amount="?").replace('"?"', text) for n, text in enumerate(numbers, 1)]
    found = rows(bronze.land("a.jsonl", "\n".join(lines)), document=wide).orderBy("id").collect()
    read = [None if row["amount"] is None else f"{row['amount']:f}" for row in found]
    assert read == list(numbers.values())
    lost = [text for text, value in numbers.items() if value is None]
    assert [tuple(*row["reasons"]) for row in found if row["reasons"]] == [
        ("amount", "type", text) for text in lost
    ]


NESTED = '{"a":[1.10,-0.1234567890123456789],"b":"1.10","c":7}'


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("1.10", "1.10"),
        ("12345678901234567890.50", "12345678901234567890.50"),
        ("-1.0E+2", "-1.0E+2"),
        ("110", "110"),
        ('"1.10"', "1.10"),
        ('"1.1", "more": {"code": 1.10}', "1.1"),
        ('1.1, "more": "\\"code\\": 1.10,"', "1.1"),
        ("1e400", "1e400"),
        ('"1e400 or 1.10, {1.0}"', "1e400 or 1.10, {1.0}"),
        ('{"a": [1.10, -0.1234567890123456789], "b": "1.10", "c": 7}', NESTED),
    ],
)
def test_a_number_in_a_column_of_texts_keeps_its_digits(
    rows: Rows, bronze: Bronze, document: dict[str, Any], said: str, code: str
) -> None:
    content = line(code="?").replace('"?"', said)
    found = rows(
        bronze.land("a.jsonl", content), document=changed(document, "code", logicalTypeOptions={})
    ).first()
    assert (found["status"], found["code"]) == ("valid", code)


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("1e300000000", "rejected"),
        ("1E-300000000", "rejected"),
        ('1.5, "digest": "sha256:1e123456"', "valid"),
        ('1.5, "parts": "AA,12E4567,BB"', "valid"),
        ('1.5, "new": 1e300000000', "valid"),
    ],
)
def test_a_number_without_an_end_costs_no_more_than_its_row(
    rows: Rows, bronze: Bronze, amount: str, status: str
) -> None:
    content = line(amount="?").replace('"?"', amount)
    assert [row["status"] for row in rows(bronze.land("a.jsonl", content)).collect()] == [status]


@pytest.mark.parametrize("token", ["-99", '"-99"'])
def test_a_number_may_stand_for_nothing(
    rows: Rows, bronze: Bronze, document: dict[str, Any], token: str
) -> None:
    content = line(amount="?").replace('"?"', token)
    found = rows(bronze.land("a.jsonl", content), document=changed(document, custom={"nullTokens": ["-99"]}))
    assert broken(found) == [[("amount", "required", None)]]


def test_an_integer_has_no_point(rows: Rows, bronze: Bronze) -> None:
    assert broken(rows(bronze.land("a.jsonl", line(number=1.5)))) == [[("id", "type", "1.5")]]


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[1]", "7", '"text"', "null", "not json"),
        *(
            line()[:-1],
            line() + line(number=2),
            line() + " more",
            line() + "," + line(number=2),
            line() + "}",
        ),
        line()[:-1] + '},"code":"AC"}',
        line()[:-1] + ",'new':1}",
        line(code="?").replace('"?"', "NaN"),
        line(number="?").replace('"?"', "01"),
        line(amount="?").replace('"?"', "01.5"),
        line(amount="?").replace('"?"', "1.5e"),
    ],
)
def test_a_line_that_is_no_object_is_rejected(rows: Rows, bronze: Bronze, content: str) -> None:
    found = rows(bronze.land("a.jsonl", f"{line()}\n{content}\n")).where("status = 'rejected'")
    assert broken(found) == [[("", "shape", content)]]


@pytest.mark.parametrize("policy", ["evolve", "ignore"])
@pytest.mark.parametrize(
    "more",
    [
        '"tier": "gold", "score": NaN',
        '"score": -Infinity',
        '"amount": 2.5',
        '"tier": 1, "tier": 2',
        '"Code": "AC"',
        '"CODE": null',
    ],
)
def test_a_line_of_which_a_value_would_be_lost_is_rejected(
    rows: Rows, bronze: Bronze, document: dict[str, Any], more: str, policy: str
) -> None:
    content = f"{line()[:-1]}, {more}}}"
    found = rows(bronze.land("a.jsonl", content), document=changed(document, custom={"newColumns": policy}))
    assert broken(found) == [[("", "shape", content)]]


def test_keys_may_be_in_capital_letters(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    content = (
        '{"NUMBER": 1, "Changed_At": "2017-01-01 12:00:00", "AMOUNT": 4999.99, "Code": "AB",'
        ' "Tier": {"CODE": 1}, "said": "\\"CODE\\": 2"}'
    )
    found = rows(bronze.land("a.jsonl", content), document=changed(document, custom={"newColumns": "evolve"}))
    (row,) = found.selectExpr("*", "CAST(amount AS STRING) AS shown").collect()
    assert (row["id"], row["shown"], row["code"], row["status"]) == (1, "4999.99", "AB", "valid")
    assert json.loads(row["extra"]) == {"tier": '{"CODE":1}', "said": '"CODE": 2'}


@pytest.mark.parametrize("text", ["a} {b", '"}{"', "\\}{\\", "}\n{"])
def test_a_text_may_look_like_the_end_of_an_object(
    rows: Rows, bronze: Bronze, document: dict[str, Any], text: str
) -> None:
    document = changed(document, "code", logicalTypeOptions={})
    (row,) = rows(bronze.land("a.jsonl", line(code=text)), document=document).collect()
    assert (row["status"], row["code"]) == ("valid", text)


def test_an_absent_key_is_null_and_blank_lines_are_no_rows(rows: Rows, bronze: Bronze) -> None:
    without = json.dumps({key: value for key, value in GOOD.items() if key != "code"})
    (row,) = rows(bronze.land("a.jsonl", f"\n{without}\n  \n")).collect()
    assert (row["status"], row["code"]) == ("valid", None)


def test_new_keys_are_kept_where_the_contract_evolves(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    file = bronze.land("a.jsonl", line(Tier="gold", nested={"a": 1}) + "\n")
    (row,) = rows(file, document=changed(document, custom={"newColumns": "evolve"})).collect()
    assert json.loads(row["extra"]) == {"tier": "gold", "nested": '{"a":1}'}
    assert rows(file).first()["extra"] is None


def test_a_new_number_keeps_its_digits(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    told = '"fee":0.1234567890123456789,"price":1.10,"far":1e400,"all":[1.0],"text":"NaN"}'
    document = changed(document, custom={"newColumns": "evolve"})
    (row,) = rows(bronze.land("a.jsonl", f"{line()[:-1]},{told}"), document=document).collect()
    assert json.loads(row["extra"]) == {
        **{"fee": "0.1234567890123456789", "price": "1.10", "far": "1e400"},
        **{"all": "[1.0]", "text": "NaN"},
    }


def test_a_folder_may_mix_formats_and_compression(rows: Rows, bronze: Bronze) -> None:
    files = (
        bronze.land("a.jsonl", line(number=1)),
        bronze.land("b.jsonl.gz", gzip.compress(line(number=2).encode())),
        bronze.land("c.csv.gz", gzip.compress(f"{HEADER}\n3,2017-01-01 12:00:00,1.00,AB\n".encode())),
    )
    found = rows(*files).select("file__", "id", "status").collect()
    assert sorted(map(tuple, found)) == [(0, 1, "valid"), (1, 2, "valid"), (2, 3, "valid")]
