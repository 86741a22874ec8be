"""Personal columns leave the job hashed, or not at all."""

import hashlib
import hmac
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion.errors import MedallionError
from medallion.odcs import parse_contract
from spark_jobs.cleaning import privacy
from tests.spark_jobs.conftest import KEY, ROW, Bronze, Rows, changed


@pytest.mark.parametrize("key", [b"k", b"k" * 64, b"k" * 65, bytes(range(256))])
@pytest.mark.parametrize("text", ["", "Zoë", "a" * 1000])
def test_the_hash_is_hmac_sha_256(spark: SparkSession, key: bytes, text: str) -> None:
    frame = spark.createDataFrame(
        [(text, *privacy._pads(key))], "text STRING, inner_pad BINARY, outer_pad BINARY"
    )
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    assert frame.select(privacy.hmac(F.col("text"))).first()[0] == expected


def test_a_personal_column_is_hashed(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    document = changed(document, "code", classification="personal")
    (row,) = rows(bronze.land_rows("a.csv", ROW), document=document).collect()
    assert row["code"] == hmac.new(KEY, b"AB", hashlib.sha256).hexdigest()


def test_null_stays_null(rows: Rows, bronze: Bronze, document: dict[str, Any]) -> None:
    document = changed(document, "code", classification="personal")
    (row,) = rows(bronze.land_rows("a.csv", ROW.replace("AB", "")), document=document).collect()
    assert row["code"] is None


def test_a_dropped_column_is_gone_but_still_held_to_its_rules(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    document = changed(document, "code", classification="personal", custom={"protection": "drop"})
    found = rows(bronze.land_rows("a.csv", ROW, ROW.replace("AB", "a1")), document=document)
    assert "code" not in found.columns
    assert sorted(row["status"] for row in found.collect()) == ["rejected", "valid"]


def test_the_key_is_not_in_the_plan(
    rows: Rows, bronze: Bronze, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document = changed(document, "code", classification="personal")
    rows(bronze.land_rows("a.csv", ROW), document=document).explain("extended")
    plan = capsys.readouterr().out
    inner, outer = privacy._pads(KEY)
    assert "inner_pad" in plan
    assert not [key for key in (KEY, bytes(inner), bytes(outer)) if key.hex().upper() in plan.upper()]


def test_without_a_key_nothing_personal_is_read(spark: SparkSession, document: dict[str, Any]) -> None:
    contract = parse_contract(changed(document, "code", classification="personal"), "orders.yaml")
    with pytest.raises(MedallionError, match="code: expected a key to hash personal columns with, got none"):
        privacy.protect(spark, spark.range(1), contract, None)
