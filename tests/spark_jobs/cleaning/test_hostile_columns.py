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

from medallion.contracts import RESERVED
from medallion.odcs import parse_contract
from spark_jobs.cleaning.files import inspect
from spark_jobs.cleaning.new_columns import column_name, column_name_of
from tests.fuzzing import CASES, LONG
from tests.spark_jobs.conftest import HEADER, ROW, Bronze, Rows, changed

PIECES = (
    *("`", "``", "'", '"', ".", "..", "a.b", "$", "$.a", "[0]"),
    *("*", "{", "}", "\\", "/", ";", "--", "#", "@", "?"),
    *("order", "select", "group", "from", "null", "run"),
    *("key_hash", "extra", "place__", "shown__", "file__", "_"),
    *("__", "_PARTITIONTIME", "_TABLE_", "1", "1a", "A", "İ", "Σ"),
    *("ß", "日本", "😀", "u\u0308", "\u202e", " ", "\t"),
    *("x" * 200, "`; DROP TABLE x; --", "{{ x }}", "=1+1", "<b>", "%s", "id", "amount", "day", "number", ","),
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
    assert found == {column_name(name, contract): f"v{number}" for number, name in enumerate(names)}


def test_any_key_of_a_json_line(rows: Rows, bronze: Bronze, evolving: dict[str, Any]) -> None:
    contract = parse_contract(evolving, "orders.yaml")
    known = {"id", "number", "changed_at", "amount", "code"}
    names = [name for name in make_names(CASES) if name not in known]
    sound = {"changed_at": "2017-01-01 12:00:00", "amount": 1}
    lines = [json.dumps({"number": number, **sound, name: "v"}) for number, name in enumerate(names, start=1)]
    found = rows(bronze.land("a.json", "\n".join(lines)), document=evolving).orderBy("id").collect()
    assert extras(found) == [{column_name(name, contract): "v"} for name in names]


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
    names = ["`", "a.b", "a`b", "$.a", "order", "place__", "x" * 200, "日本", "'", '"', "\\"]
    schema = ["number", "changed_at", "amount", *names]
    folder = bronze.folder.parent / "parquet"
    values = ("7", "2017-01-01 12:00:00", "1.00", *(f"v{number}" for number in range(len(names))))
    spark.createDataFrame([values], schema).coalesce(1).write.parquet(str(folder))
    (part,) = folder.glob("*.parquet")
    (found,) = extras(rows(bronze.land("a.parquet", part.read_bytes()), document=evolving).collect())
    assert found == {column_name(name, contract): f"v{number}" for number, name in enumerate(names)}


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
