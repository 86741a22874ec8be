"""The cleaning job's session, a contract of five columns, a folder to land files in, and whole runs."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Contract
from medallion.manifest import Manifest, SourceFile
from medallion.odcs import parse_contract
from spark_jobs import clean
from spark_jobs.cleaning.files import inspect
from spark_jobs.cleaning.metrics import Read, Written
from spark_jobs.cleaning.privacy import stored_columns
from spark_jobs.cleaning.verdicts import contract_rules, reasons

HEADER = "number,changed_at,amount,code"
ROW = "1,2017-01-01 12:00:00,1.00,AB"
ROWS = [f"{number},2017-01-01 12:00:00,1.00,AB" for number in range(1, 6)]
KEY = b"a key for tests"

Rows = Callable[..., DataFrame]


@dataclass(frozen=True)
class Bronze:
    """A folder that files land in."""

    folder: Path

    def land(self, name: str, content: str | bytes) -> SourceFile:
        """Writes a file as it is."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return SourceFile(str(path), generation=7, size=path.stat().st_size, checksum="crc")

    def land_rows(self, name: str, *rows: str, header: str = HEADER) -> SourceFile:
        """Writes a header and rows."""
        return self.land(name, "".join(f"{line}\n" for line in (header, *rows)))


@pytest.fixture(scope="session")
def spark(spark: SparkSession) -> SparkSession:
    return clean._session()


@pytest.fixture
def bronze(tmp_path: Path) -> Bronze:
    (tmp_path / "bronze").mkdir()
    return Bronze(tmp_path / "bronze")


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """A contract document of orders."""
    return {
        "name": "orders",
        "version": "1.2.0",
        "schema": [
            {
                "name": "orders",
                "customProperties": [
                    {"property": "orderBy", "value": "changed_at"},
                    {"property": "nullTokens", "value": ["", "NA"]},
                ],
                "properties": [
                    {
                        "name": "id",
                        "physicalType": "INT64",
                        "required": True,
                        "primaryKey": True,
                        "transformSourceObjects": ["number"],
                        "logicalTypeOptions": {"minimum": 1},
                    },
                    {
                        "name": "changed_at",
                        "physicalType": "TIMESTAMP",
                        "required": True,
                        "logicalTypeOptions": {"format": "yyyy-MM-dd HH:mm:ss"},
                    },
                    {
                        "name": "amount",
                        "physicalType": "NUMERIC(6, 2)",
                        "required": True,
                        "logicalTypeOptions": {"minimum": 0, "maximum": 5000},
                    },
                    {
                        "name": "code",
                        "physicalType": "STRING",
                        "logicalTypeOptions": {"minLength": 2, "maxLength": 3, "pattern": "[A-Z]+"},
                    },
                    {
                        "name": "day",
                        "physicalType": "DATE",
                        "required": True,
                        "transformLogic": "CAST(FROM_UTC_TIMESTAMP(changed_at, 'America/New_York') AS DATE)",
                    },
                ],
            }
        ],
    }


@pytest.fixture(scope="session")
def contract(document: dict[str, Any]) -> Contract:
    return parse_contract(document, "orders.yaml")


def changed(document: dict[str, Any], column: str | None = None, **parts: Any) -> dict[str, Any]:
    """The contract document with other parts in the table, or in one of its columns.

    Parts that the table's customProperties know go there.
    """
    document = copy.deepcopy(document)
    (table,) = document["schema"]
    place = table if column is None else next(item for item in table["properties"] if item["name"] == column)
    custom = parts.pop("custom", {})
    place.update(parts)
    entries = [{"property": name, "value": value} for name, value in custom.items()]
    place["customProperties"] = [*place.get("customProperties", ()), *entries]
    return document


@dataclass(frozen=True)
class Cleaned:
    """What a run of the job has told and written."""

    metrics: dict[str, Any]
    rows: DataFrame
    output: Path

    def counts(self, name: str) -> tuple[int, int, int, int]:
        """Rows read, valid, rejected and duplicate of a file."""
        (line,) = (line for line in self.metrics["files"] if Path(line["uri"]).name == name)
        return tuple(line[f"rows_{status}"] for status in ("read", "valid", "rejected", "duplicate"))


def run(
    spark: SparkSession, document: dict[str, Any], folder: Path, files: dict[str, bytes], again: int = 0
) -> Cleaned:
    """Lands files in a folder, and runs the job over them: once, and as often again."""
    folder.mkdir(exist_ok=True)
    landed = tuple(Bronze(folder).land(name, content) for name, content in files.items())
    manifest = Manifest("orders", "r1", "release", document, landed, str(folder / "out put"))
    for _ in range(1 + again):
        metrics = clean.clean(spark, manifest)
    return Cleaned(metrics, written(spark, manifest.output), Path(manifest.output))


def written(spark: SparkSession, output: str) -> DataFrame:
    """The rows that a run wrote, with what their verdicts tell."""
    told_reasons = "ARRAY<STRUCT<column: STRING, rule: STRING, value: STRING>>"
    verdict = F.from_json("verdict__", f"status STRING, reasons {told_reasons}, raw STRING")
    told = {name: verdict[name] for name in ("status", "reasons", "raw")}
    found = spark.read.parquet(f"{output}/rows")
    duplicates = found.where("row_hash IS NULL").select("row__", F.lit("duplicate").alias("duplicate"))
    rows = found.where("row_hash IS NOT NULL").withColumns(told).join(duplicates, "row__", "left")
    return rows.withColumn("status", F.coalesce("duplicate", "status", F.lit("valid"))).drop("duplicate")


@pytest.fixture
def rows(spark: SparkSession, document: dict[str, Any], tmp_path: Path) -> Rows:
    """What becomes of the rows of files, duplicates not told apart: typed, with status, reasons and raw.

    Takes another contract document as `document`, and further parts of the manifest by their names.
    """

    def rows(*files: SourceFile, document: dict[str, Any] = document, **parts: Any) -> DataFrame:
        contract = parse_contract(document, "orders.yaml")
        manifest = Manifest("orders", "r1", "release", document, files, str(tmp_path / "out"))
        manifest = replace(manifest, **parts)
        found = inspect(spark, files, contract, str(tmp_path / "unpacked"))
        job = clean.Job(spark, manifest, contract, contract_rules(contract), KEY)
        return clean.clean_rows(job, found, Read(len(files)), Written(len(files), job.rules)).select(
            *stored_columns(contract),
            *("extra", "row_hash", "file__", "raw"),
            F.when(F.col("rejected__"), "rejected").otherwise("valid").alias("status"),
            reasons(contract, job.rules).alias("reasons"),
        )

    return rows


def broken(frame: DataFrame) -> list[list[tuple[str, str, str | None]]]:
    """The reasons of each rejected row, as (column, rule, value)."""
    found = frame.where("status = 'rejected'").orderBy("raw").select("reasons").collect()
    return [[tuple(reason) for reason in row["reasons"]] for row in found]
