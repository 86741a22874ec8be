"""Parquet: values with types of their own, which must fit the contract's without loss."""

import gzip
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from medallion.manifest import SourceFile
from medallion.odcs import parse_contract
from spark_jobs.cleaning.files import inspect
from tests.spark_jobs.conftest import HEADER, Bronze, Rows, broken, changed

GOOD = {"number": "1L", "changed_at": "TIMESTAMP '2017-01-01 12:00:00'", "amount": "1.5BD", "Code": "'AB'"}


@pytest.fixture
def land(spark: SparkSession, bronze: Bronze, tmp_path: Path) -> Any:
    """Lands a Parquet file of one row, of Spark SQL expressions by column."""

    def land(name: str = "a.parquet", packed: bool = False, **columns: str) -> SourceFile:
        folder = tmp_path / f"made {name}"
        expressions = [f"{value} AS `{column}`" for column, value in {**GOOD, **columns}.items()]
        spark.range(1, numPartitions=1).selectExpr(*expressions).write.parquet(str(folder))
        (part,) = folder.glob("*.parquet")
        return bronze.land(name, gzip.compress(part.read_bytes()) if packed else part.read_bytes())

    return land


def test_a_row_keeps_its_values(rows: Rows, land: Any) -> None:
    (row,) = rows(land()).selectExpr("*", "CAST(amount AS STRING) AS shown").collect()
    assert (row["id"], row["shown"], row["code"], row["status"]) == (1, "1.50", "AB", "valid")
    assert str(row["changed_at"]) == "2017-01-01 12:00:00"


@pytest.mark.parametrize(
    ("column", "value", "status"),
    [
        ("number", "1", "valid"),
        ("number", "1.0D", "valid"),
        ("number", "1.5D", "rejected"),
        ("number", "'1'", "valid"),
        ("amount", "CAST(1.5 AS DECIMAL(18, 9))", "valid"),
        ("amount", "CAST(1.005 AS DECIMAL(18, 9))", "rejected"),
        ("amount", "0.1D", "valid"),
        ("amount", "0.001D", "rejected"),
        ("amount", "12345", "rejected"),
        ("changed_at", "TIMESTAMP_NTZ '2017-01-01 12:00:00'", "valid"),
        ("changed_at", "DATE '2017-01-01'", "valid"),
        ("changed_at", "'2017-01-01 12:00:00'", "valid"),
        ("changed_at", "CAST(NULL AS TIMESTAMP)", "rejected"),
        ("Code", "CAST(NULL AS STRING)", "valid"),
        ("number", "ARRAY(1)", "rejected"),
        ("number", "TIMESTAMP '2017-01-01 12:00:00'", "rejected"),  # no seconds since 1970
        ("number", "true", "rejected"),
        ("changed_at", "1483272000L", "rejected"),
        ("number", "DATE '2017-01-01'", "rejected"),
        ("changed_at", "ARRAY(1)", "rejected"),
        ("amount", "CAST('1' AS BINARY)", "valid"),
    ],
)
def test_another_type_will_do_where_nothing_is_lost(
    rows: Rows, land: Any, column: str, value: str, status: str
) -> None:
    assert [row["status"] for row in rows(land(**{column: value})).collect()] == [status]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("TIMESTAMP_NTZ '2017-11-05 00:30:00'", "2017-11-05 04:30:00"),
        ("TIMESTAMP_NTZ '2017-11-05 01:30:00'", "2017-11-05 06:30:00"),  # clocks went back
        ("TIMESTAMP_NTZ '2017-03-12 02:30:00'", None),  # and forward
        ("DATE '2017-01-31'", "2017-01-31 05:00:00"),
    ],
)
def test_a_time_without_a_zone_is_one_of_the_contracts(
    rows: Rows, land: Any, document: dict[str, Any], value: str, instant: str | None
) -> None:
    local = changed(document, "changed_at", custom={"ambiguousTime": "later"})
    options = local["schema"][0]["properties"][1]["logicalTypeOptions"]
    options["defaultTimezone"] = "America/New_York"
    (row,) = rows(land(changed_at=value), document=local).collect()
    assert row["status"] == ("valid" if instant else "rejected")
    assert str(row["changed_at"]) == str(instant)


@pytest.mark.parametrize("value", ["CAST('NaN' AS DOUBLE)", "CAST('-Infinity' AS FLOAT)"])
def test_what_is_no_finite_number_is_rejected(
    rows: Rows, land: Any, document: dict[str, Any], value: str
) -> None:
    plain = changed(document, "amount", physicalType="FLOAT64", logicalTypeOptions={})
    (((column, rule, _),),) = broken(rows(land(amount=value), document=plain))
    assert (column, rule) == ("amount", "type")


@pytest.mark.parametrize("column", ["Code", "Tier"])
def test_a_text_that_is_not_utf8_rejects_its_row(
    rows: Rows, land: Any, document: dict[str, Any], column: str
) -> None:
    file = land(**{column: "CAST(X'41FF' AS STRING)"})
    found = rows(file, document=changed(document, custom={"newColumns": "evolve"}))
    ((reason,),) = broken(found)
    assert reason == ("", "encoding", found.first()["raw"])
    assert "A\ufffd" in found.first()["raw"]


def test_a_rejected_row_keeps_its_json(rows: Rows, land: Any) -> None:
    found = rows(land(number="0L"))
    assert broken(found) == [[("id", "minimum", "0")]]
    assert json.loads(found.first()["raw"])["number"] == 0


def test_a_compressed_file_is_read(rows: Rows, land: Any) -> None:
    assert [row["status"] for row in rows(land("a.parquet.gz", packed=True)).collect()] == ["valid"]


def test_new_columns_are_kept_where_the_contract_evolves(
    rows: Rows, land: Any, document: dict[str, Any]
) -> None:
    file = land(Tier="'gold'")
    (row,) = rows(file, document=changed(document, custom={"newColumns": "evolve"})).collect()
    assert row["extra"] == '{"tier":"gold"}'


def test_nested_values_are_kept_as_json(rows: Rows, land: Any, document: dict[str, Any]) -> None:
    file = land(tags="ARRAY('a, b', 'c')", made="NAMED_STRUCT('by', 'x', 'at', DATE '2017-01-01')")
    (row,) = rows(file, document=changed(document, custom={"newColumns": "evolve"})).collect()
    extra = {name: json.loads(text) for name, text in json.loads(row["extra"]).items()}
    assert extra == {"tags": ["a, b", "c"], "made": {"by": "x", "at": "2017-01-01"}}


def test_a_folder_may_mix_all_formats(rows: Rows, land: Any, bronze: Bronze) -> None:
    files = (
        land(number="1L"),
        bronze.land("b.jsonl", '{"id": 2, "changed_at": "2017-01-01 12:00:00", "amount": 1}'),
        bronze.land_rows("c.csv", "3,2017-01-01 12:00:00,1.00,AB", header=HEADER),
    )
    found = rows(*files).select("file__", "id", "status").collect()
    assert sorted(map(tuple, found)) == [(0, 1, "valid"), (1, 2, "valid"), (2, 3, "valid")]


@pytest.mark.parametrize(("value", "year"), [("0001-01-02", 1), ("1850-06-01", 1850), ("9999-12-30", 9999)])
def test_an_old_date_that_another_program_wrote_is_read(
    rows: Rows, bronze: Bronze, document: dict[str, Any], tmp_path: Path, value: str, year: int
) -> None:
    document = changed(document)
    document["schema"][0]["properties"].append({"name": "born", "physicalType": "DATE"})
    moment = datetime.fromisoformat(f"{value}T00:00:00+00:00")
    columns = {"number": [1], "changed_at": [moment], "amount": ["1.00"], "born": [moment.date()]}
    pq.write_table(pa.table(columns), tmp_path / "old.parquet")
    file = bronze.land("old.parquet", (tmp_path / "old.parquet").read_bytes())
    (row,) = rows(file, document=document).selectExpr("*", "YEAR(changed_at) AS at").collect()
    assert (row["status"], row["born"].year, row["at"]) == ("valid", year, year)


def test_a_replayed_row_has_the_values_that_it_was_read_with(
    spark: SparkSession, rows: Rows, land: Any, document: dict[str, Any], tmp_path: Path
) -> None:
    file = land(number="1.0D", changed_at="TIMESTAMP '2017-01-01 12:00:00.123456'", amount="-1BD")
    first = rows(file).first()
    assert broken(rows(file)) == [[("amount", "minimum", "-1")]]
    (layout,) = inspect(spark, [file], parse_contract(document, "orders.yaml"), str(tmp_path / "look"))
    known = replace(file, format=layout.format, header=layout.header)
    rejected = tmp_path / "rejected.jsonl"
    rejected.write_text(json.dumps({"file": 0, "raw": first["raw"], "is_utf8": True}) + "\n")
    mended = changed(document, "amount", logicalTypeOptions={})
    (row,) = rows(known, document=mended, replay=str(rejected)).collect()
    assert row["status"] == "valid"
    assert [row[name] for name in ("id", "changed_at", "code")] == [
        first[name] for name in ("id", "changed_at", "code")
    ]
    assert row["code"] == "AB"
    assert row["raw"] == first["raw"]
