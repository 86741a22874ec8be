"""The cleaning job as a whole, on a folder of good, mixed and unusable files."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from medallion.manifest import Manifest, SourceFile
from spark_jobs import clean
from tests.spark_jobs.conftest import HEADER, ROWS, Bronze, Cleaned, changed, run, written

MIXED = [
    "5,2017-01-02 12:00:00,2.00,AB",  # newer than the one in good.csv
    "6,2017-01-01 12:00:00,-2.00,ab",
    "6,2017-01-01 12:00:00",
    "7,1899-12-31 12:00:00,2.00,AB",
    HEADER,
]
FILES: dict[str, bytes] = {
    "binary.csv": b"\0\1\2",
    "empty.csv": b"",
    "good.csv": "\n".join([HEADER, *ROWS]).encode(),
    "good again.csv.gz": gzip.compress("\n".join([HEADER, *ROWS]).encode()),
    "header.csv": f"{HEADER}\n".encode(),
    "mixed.csv": "\n".join([HEADER, *MIXED]).encode(),
    "truncated.csv.gz": gzip.compress("\n".join([HEADER, *ROWS * 99]).encode())[:-9],
    "wrong.csv": b"a,b\n1,2\n",
}


@pytest.fixture(scope="module")
def cleaned(
    spark: SparkSession, document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Cleaned:
    return run(spark, document, tmp_path_factory.mktemp("bronze"), FILES)


def test_every_row_of_every_file_is_accounted_for(cleaned: Cleaned) -> None:
    counts = {name: cleaned.counts(name) for name in FILES}
    unusable = dict.fromkeys(("binary.csv", "empty.csv", "header.csv", "truncated.csv.gz", "wrong.csv"))
    assert {name: counts.pop(name) for name in unusable} == dict.fromkeys(unusable, (0, 0, 0, 0))
    assert counts == {"good.csv": (5, 0, 0, 5), "good again.csv.gz": (5, 4, 0, 1), "mixed.csv": (4, 2, 2, 0)}


def test_the_run_is_the_sum_of_its_files(cleaned: Cleaned) -> None:
    assert cleaned.metrics["rows"] == {"read": 14, "valid": 6, "rejected": 2, "duplicate": 6}
    assert cleaned.rows.count() == 14


def test_rules_are_counted_over_the_run(cleaned: Cleaned) -> None:
    assert cleaned.metrics["rules"] == [
        {"column": "", "rule": "shape", "severity": "error", "rows": 1},
        {"column": "amount", "rule": "minimum", "severity": "error", "rows": 1},
        {"column": "code", "rule": "pattern", "severity": "error", "rows": 1},
    ]


def test_a_ledger_line_says_which_version_it_is_and_what_became_of_it(cleaned: Cleaned) -> None:
    lines = [json.loads(line) for line in (cleaned.output / "files.jsonl").read_text().splitlines()]
    assert [Path(line["uri"]).name for line in lines] == list(FILES)
    assert lines[1] == {
        "file": 1,
        "uri": lines[1]["uri"],
        "generation": 7,
        "size": 0,
        "checksum": "crc",
        "state": "rejected",
        "reason": "empty: the file has no bytes",
        "format": None,
        "header": None,
        "new_columns": [],
        "missing_columns": [],
        "rows_read": 0,
        "rows_valid": 0,
        "rows_rejected": 0,
        "rows_duplicate": 0,
    }


def test_usable_files_are_accepted_without_a_reason(cleaned: Cleaned) -> None:
    accepted = {Path(line["uri"]).name for line in cleaned.metrics["files"] if line["state"] == "accepted"}
    assert accepted == {"good.csv", "good again.csv.gz", "mixed.csv"}
    assert all((line["reason"] is None) == (line["state"] == "accepted") for line in cleaned.metrics["files"])


def test_metrics_are_written_as_they_are_returned(cleaned: Cleaned) -> None:
    assert json.loads((cleaned.output / "metrics.json").read_text()) == cleaned.metrics
    assert (cleaned.metrics["run"], cleaned.metrics["contract_version"]) == ("r1", "1.2.0")


def test_rows_say_which_file_of_the_ledger_brought_them(cleaned: Cleaned) -> None:
    (row,) = cleaned.rows.where("id = 7").select("file__").collect()
    lines = map(json.loads, (cleaned.output / "files.jsonl").read_text().splitlines())
    (name,) = (Path(line["uri"]).name for line in lines if line["file"] == row["file__"])
    assert name == "mixed.csv"


def test_columns_are_those_of_the_staging_table_in_its_order(spark: SparkSession, cleaned: Cleaned) -> None:
    columns = spark.read.parquet(str(cleaned.output / "rows")).columns
    assert columns == [
        "id",
        "changed_at",
        "amount",
        "code",
        "day",
        "key_hash",
        "row_hash",
        "file__",
        "row__",
        "verdict__",
    ]


def test_only_rows_that_something_is_to_be_told_of_have_a_verdict(cleaned: Cleaned) -> None:
    verdicts = [row["verdict__"] for row in cleaned.rows.select("verdict__").collect()]
    told = Counter(json.loads(verdict)["status"] for verdict in verdicts if verdict)
    assert (told, verdicts.count(None)) == ({"rejected": 2}, 12)


def test_a_time_before_1900_is_written_as_it_is(cleaned: Cleaned) -> None:
    (row,) = cleaned.rows.where("id = 7").selectExpr("CAST(changed_at AS STRING)").collect()
    assert row[0] == "1899-12-31 12:00:00"


def test_cleaning_again_leaves_the_same(
    cleaned: Cleaned, spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    twice = run(spark, document, tmp_path, FILES, again=1)
    assert twice.metrics["rows"] == cleaned.metrics["rows"]
    hashes = [sorted(row[0] for row in each.rows.select("row_hash").collect()) for each in (cleaned, twice)]
    assert hashes[0] == hashes[1]


def test_a_run_of_unusable_files_still_writes_rows_ledger_and_metrics(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path, cleaned: Cleaned
) -> None:
    unusable = {name: FILES[name] for name in ("binary.csv", "empty.csv")}
    found = run(spark, document, tmp_path, unusable)
    assert found.metrics["rows"] == {"read": 0, "valid": 0, "rejected": 0, "duplicate": 0}
    assert (found.rows.count(), found.rows.schema) == (0, cleaned.rows.schema)
    assert len((found.output / "files.jsonl").read_text().splitlines()) == 2
    assert list((found.output / "rows").glob("*.parquet"))


def test_a_line_of_ten_megabytes_costs_its_file_and_no_other(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    huge = "x" * 10_000_000
    files = {
        "good.csv": FILES["good.csv"],
        "huge.csv": "\n".join([HEADER, *ROWS, huge, *ROWS]).encode(),
        "huge.jsonl.gz": gzip.compress(f'{{"number": 1}}\n{{"number": "{huge}"}}\n'.encode()),
    }
    found = run(spark, document, tmp_path, files)
    reasons = {Path(line["uri"]).name: line["reason"] for line in found.metrics["files"]}
    too_long = "a line longer than 1,048,576 bytes"
    assert reasons == {"good.csv": None, "huge.csv": too_long, "huge.jsonl.gz": too_long}
    assert found.counts("good.csv") == (5, 5, 0, 0)
    assert found.rows.count() == 5


def test_files_without_a_last_line_end_are_whole(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    found = run(spark, document, tmp_path, {f"{i}.csv": f"{HEADER}\n{ROWS[i]}".encode() for i in range(3)})
    assert found.metrics["rows"]["valid"] == 3


def test_a_file_without_rows_is_rejected_as_a_whole(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    columns = {name: pa.array([], pa.string()) for name in HEADER.split(",")}
    pq.write_table(pa.table(columns), tmp_path / "made")
    files = {
        "header.csv": f"{HEADER}\n \n\r\n".encode(),
        "headers.csv": (f"{HEADER}\n{' ' * 80}\n" * 1000).encode(),  # more than is looked at beforehand
        "none.parquet": (tmp_path / "made").read_bytes(),
    }
    found = run(spark, document, tmp_path / "bronze", files)
    told = [(line["state"], line["reason"], line["rows_read"]) for line in found.metrics["files"]]
    assert told == [("rejected", "no rows: the file has none", 0)] * len(files)


def test_warnings_are_counted_and_keep_their_rows(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    rule = {"type": "custom", "engine": "spark", "name": "even", "implementation": "id % 2 = 0"}
    warned = changed(document, quality=[{**rule, "severity": "warning"}])
    found = run(spark, warned, tmp_path, {"good.csv": FILES["good.csv"]})
    assert found.metrics["rules"] == [{"column": "", "rule": "even", "severity": "warning", "rows": 3}]
    assert found.metrics["rows"]["valid"] == 5


def test_rejected_rows_are_replayed_by_a_mended_contract(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    first = run(spark, document, tmp_path / "first", {"mixed.csv": FILES["mixed.csv"]})
    (line,) = first.metrics["files"]
    keys = ("uri", "generation", "size", "checksum", "format", "header")
    file = SourceFile(**{key: line[key] for key in keys})
    raws = [row["raw"] for row in first.rows.where("status = 'rejected'").collect()]
    rejected = tmp_path / "rejected.jsonl"
    rejected.write_text("".join(json.dumps({"file": 0, "raw": raw, "is_utf8": True}) + "\n" for raw in raws))
    mended = changed(document, "amount", logicalTypeOptions={"minimum": -9})
    mended = changed(mended, "code", logicalTypeOptions={"pattern": "[A-Za-z]+"})
    output = str(tmp_path / "replayed")
    manifest = Manifest("orders", "r2", "release", mended, (file,), output, replay=str(rejected))
    metrics = clean.clean(spark, manifest)
    assert metrics["rows"] == {"read": 2, "valid": 1, "rejected": 1, "duplicate": 0}
    found = written(spark, output).orderBy("status").collect()
    assert [(row["status"], row["raw"], row["file__"]) for row in found] == [
        ("rejected", MIXED[2], 0),
        ("valid", MIXED[1], 0),
    ]


def test_a_file_of_which_nothing_is_replayed_stays_accepted(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "rejected.jsonl").touch()
    file = SourceFile("a.csv", 7, 1, "crc", format="csv", header=HEADER)
    places = {"output": str(tmp_path / "out"), "replay": str(tmp_path / "rejected.jsonl")}
    manifest = Manifest("orders", "r1", "release", document, (file,), **places)
    (line,) = clean.clean(spark, manifest)["files"]
    assert (line["state"], line["reason"]) == ("accepted", None)


def test_a_replayed_row_may_be_longer_than_a_line_of_a_file(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    row = f"1,2017-01-01 12:00:00,1.00,{'é' * 500_000}"  # escaped, six bytes each
    (tmp_path / "rejected.jsonl").write_text(json.dumps({"file": 0, "raw": row, "is_utf8": True}) + "\n")
    file = SourceFile("a.csv", 7, 1, "crc", format="csv", header=HEADER)
    places = {"output": str(tmp_path / "out"), "replay": str(tmp_path / "rejected.jsonl")}
    manifest = Manifest("orders", "r1", "release", document, (file,), **places)
    assert clean.clean(spark, manifest)["rows"]["read"] == 1


def test_nothing_personal_reaches_the_account(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path
) -> None:
    personal = changed(document, "code", classification="personal", logicalTypeOptions={})
    rows = ["1,2017-01-01 12:00:00,1.00,canary@example.com", "x,2017-01-01 12:00:00,1.00,canary@example.com"]
    file = Bronze(tmp_path).land_rows("a.csv", *rows)
    manifest = Manifest("orders", "r1", "release", personal, (file,), str(tmp_path / "out"))
    clean.clean(spark, manifest, hash_key=b"key")
    found = spark.read.parquet(f"{tmp_path}/out/rows")
    assert found.where("verdict__ LIKE '%canary%'").count() == 1  # the rejected row's, and no other
    assert found.where("code LIKE '%canary%'").count() == 0
    account = (tmp_path / "out/metrics.json").read_text() + (tmp_path / "out/files.jsonl").read_text()
    assert "canary" not in account
