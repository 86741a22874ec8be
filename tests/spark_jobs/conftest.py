"""The cleaning job's session, a contract of five columns, and a bronze folder to land files in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion.contracts import Contract, parse_contract
from medallion.manifest import SourceFile
from spark_jobs import clean

HEADER = "number,changed_at,amount,code"


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
