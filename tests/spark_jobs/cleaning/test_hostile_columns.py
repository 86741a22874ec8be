"""Whatever a file calls its new columns, each gets a name that any warehouse takes, and has its value."""

import csv
import io
import json
import random
import re
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import RESERVED, Contract
from medallion.odcs import parse_contract
from spark_jobs.cleaning.files import inspect
from spark_jobs.cleaning.new_columns import column_name, column_name_of, column_names_of, new_columns
from tests.fuzzing import CASES, LONG
from tests.spark_jobs.conftest import HEADER, ROW, Bronze, Rows, broken, changed

PIECES = (
    *("`", "``", "'", '"', ".", "..", "a.b", "$", "$.a", "[0]"),
    *("*", "{", "}", "\\", "/", ";", "--", "#", "@", "?"),
    *("order", "select", "group", "from", "null", "run"),
    *("key_hash", "extra", "place__", "shown__", "file__", "_"),
    *("__", "_PARTITIONTIME", "_TABLE_", "1", "1a", "A", "İ", "Σ"),
    *("ß", "日本", "😀", "u\u0308", "\u202e", " ", "\t"),
    *(
        "}{",
        "x" * 200,
        "`; DROP TABLE x; --",
        "{{ x }}",
        "=1+1",
        "<b>",
        "%s",
        "id",
        "amount",
        "day",
        "number",
        ",",
    ),
)


def make_names(number: int) -> list[str]:
    chance = random.Random() if LONG else random.Random(8)
    names = dict.fromkeys(PIECES)
    while len(names) < number:
        names["".join(chance.choices(PIECES, k=chance.randrange(2, 5)))] = None
    return list(names)


@pytest.fixture
def evolving(document: dict[str, Any]) -> dict[str, Any]:
    return changed(document, custom={"newColumns": "evolve"})


def extras(found: list[Row]) -> list[dict[str, str]]:
    assert {row["status"] for row in found} == {"valid"}
    return [json.loads(row["extra"] or "{}") for row in found]


def test_any_name_becomes_one_that_silver_takes(spark: SparkSession, evolving: dict[str, Any]) -> None:
    contract, names = parse_contract(evolving, "orders.yaml"), ["", *make_names(CASES)]
    plain = [column_name(name, contract) for name in names]
    known = {*RESERVED, *(column.name for column in contract.columns)}
    assert [name for name in plain if not re.fullmatch(r"[a-z][a-z0-9_]{0,128}(?<!__)", name)] == []
    assert not known & set(plain)
    frame = spark.createDataFrame([(name,) for name in names], "name STRING")
    assert [row[0] for row in frame.select(column_name_of(F.col("name"), contract)).collect()] == plain


def test_a_name_that_differs_from_a_columns_in_case_only_gets_another(evolving: dict[str, Any]) -> None:
    contract = parse_contract(changed(evolving, "amount", name="Amount"), "orders.yaml")
    assert column_name("amount", contract) == "amount_"


OWN = "a_b__c8687a08aa5d6ed2"
ALIKE = {
    "a b": OWN,
    "a-b": "a_b__d44362d67d921091",
    "a_b": "a_b",
    OWN: "a_b__c8687a08aa5d6ed2__8034e2e3c17662b5",
    "tier": "tier",
}


@pytest.mark.parametrize("names", [tuple(ALIKE), tuple(reversed(ALIKE))])
def test_names_that_would_become_one_stay_apart_whatever_their_order(
    evolving: dict[str, Any], names: tuple[str, ...]
) -> None:
    found = new_columns(names, parse_contract(evolving, "orders.yaml"))
    assert found == {column: name for name, column in ALIKE.items()}


def test_names_in_rows_stay_apart_as_those_in_headers_do(
    spark: SparkSession, evolving: dict[str, Any]
) -> None:
    contract, names = parse_contract(evolving, "orders.yaml"), make_names(CASES)
    names = [name for name in names if name not in {"id", "number", "amount"}]
    groups = [names, names[::-1], names[:1], list(ALIKE), []]
    frame = spark.createDataFrame([(group,) for group in groups], "names ARRAY<STRING>")
    found = [row[0] for row in frame.select(column_names_of(F.col("names"), contract)).collect()]
    assert found == [
        {name: column for column, name in new_columns(tuple(group), contract).items()} for group in groups
    ]
    assert [len(set(columns.values())) for columns in found] == list(map(len, groups))


def kept(names: list[str], contract: Contract) -> dict[str, str]:
    """What is found of a row with the value v0 in the first of these columns, v1 in the second, and so on."""
    return {column: f"v{names.index(name)}" for column, name in new_columns(tuple(names), contract).items()}


def test_any_column_of_a_csv_file(rows: Rows, bronze: Bronze, evolving: dict[str, Any]) -> None:
    contract = parse_contract(evolving, "orders.yaml")
    taken = {"number", "id", "amount"}  # what the contract knows
    names = [
        name for name in dict.fromkeys(piece.strip().lower() for piece in PIECES) if name not in taken | {""}
    ]
    out = io.StringIO()
    csv.writer(out).writerow([*HEADER.split(","), *names])
    row = ",".join([ROW, *(f"v{number}" for number in range(len(names)))])
    file = bronze.land_rows("a.csv", row, header=out.getvalue().rstrip("\r\n"))
    (found,) = extras(rows(file, document=evolving).collect())
    assert found == kept(names, contract)
    assert sorted(found.values()) == sorted(f"v{number}" for number in range(len(names)))


def test_any_key_of_a_json_line(rows: Rows, bronze: Bronze, evolving: dict[str, Any]) -> None:
    contract = parse_contract(evolving, "orders.yaml")
    known = {"id", "number", "changed_at", "amount", "code"}
    names = [name for name in make_names(CASES) if name not in known]
    sound = {"changed_at": "2017-01-01 12:00:00", "amount": 1}
    lines = [json.dumps({"number": number, **sound, name: "v"}) for number, name in enumerate(names, start=1)]
    found = rows(bronze.land("a.json", "\n".join(lines)), document=evolving).orderBy("id").collect()
    assert extras(found) == [{column_name(name, contract): "v"} for name in names]


def test_any_keys_of_one_json_line(rows: Rows, bronze: Bronze, evolving: dict[str, Any]) -> None:
    contract = parse_contract(evolving, "orders.yaml")
    names = [name for name in ("Tier", "tier", *ALIKE, *PIECES) if name not in {"id", "number", "amount"}]
    names = list(dict.fromkeys(names))
    sound = {"number": 1, "changed_at": "2017-01-01 12:00:00", "amount": 1}
    line = json.dumps({**sound, **{name: f"v{number}" for number, name in enumerate(names)}, "null": None})
    (found,) = extras(rows(bronze.land("a.json", line), document=evolving).collect())
    assert found == {name: value for name, value in kept(names, contract).items() if name != "null"}


def test_a_contract_may_read_any_key(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    keys = ["`", "a`b", "x` STRING, `y", "a.b", "'", '"', "日本", "$.a", "order"]
    document = changed(document, "amount", transformSourceObjects=keys)
    document = changed(document, "code", transformSourceObjects=[f"{key}c" for key in keys])
    lines = [{"number": 1, "changed_at": "2017-01-01 12:00:00", key: 2.5, f"{key}c": "AB"} for key in keys]
    text = "\n".join(json.dumps({**line, "number": number}) for number, line in enumerate(lines, start=1))
    found = rows(bronze.land("a.json", text), document=document).select("amount", "code").collect()
    assert [(str(row["amount"]), row["code"]) for row in found] == [("2.50", "AB")] * len(keys)


def test_any_column_of_a_parquet_file(
    spark: SparkSession, rows: Rows, bronze: Bronze, evolving: dict[str, Any]
) -> None:
    contract = parse_contract(evolving, "orders.yaml")
    names = ["", "`", "a.b", "a`b", "$.a", "order", "place__", "x" * 200, "日本", "'", '"', "\\"]
    schema = ["number", "changed_at", "amount", *names]
    folder = bronze.folder.parent / "parquet"
    values = ("7", "2017-01-01 12:00:00", "1.00", *(f"v{number}" for number in range(len(names))))
    spark.createDataFrame([values], schema).coalesce(1).write.parquet(str(folder))
    (part,) = folder.glob("*.parquet")
    (found,) = extras(rows(bronze.land("a.parquet", part.read_bytes()), document=evolving).collect())
    assert found == kept(names, contract)
    assert sorted(found.values()) == sorted(f"v{number}" for number in range(len(names)))


def test_a_json_line_of_thousands_of_new_keys_is_refused(
    rows: Rows, bronze: Bronze, evolving: dict[str, Any]
) -> None:
    sound = {"changed_at": "2017-01-01 12:00:00", "amount": 1}
    lines = [
        json.dumps({"number": new, **sound, **{f"c{number}": 1 for number in range(new)}})
        for new in (1_000, 1_001)
    ]
    found = rows(bronze.land("a.json", "\n".join(lines)), document=evolving)
    assert [row["id"] for row in found.where("status = 'valid'").collect()] == [1_000]
    assert broken(found) == [[("", "shape", lines[1][:200])]]


def test_a_header_of_thousands_of_new_columns_is_refused(
    spark: SparkSession, bronze: Bronze, document: dict[str, Any], evolving: dict[str, Any]
) -> None:
    more = [f"c{number}" for number in range(1_001)]
    file = bronze.land_rows("a.csv", ",".join([ROW, *more]), header=",".join([HEADER, *more]))

    def reason(document: dict[str, Any]) -> str | None:
        (found,) = inspect(spark, [file], parse_contract(document, "orders.yaml"), str(bronze.folder / "x"))
        return found.reason

    assert reason(evolving) == "wrong header: 1,001 columns beyond the contract; expected at most 1,000"
    assert reason(document) is None  # where they are ignored
