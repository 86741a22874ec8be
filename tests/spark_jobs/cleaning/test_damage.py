"""Damaged Parquet files, whose footers are sound: they are told of, and the others go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from spark_jobs import clean
from tests.spark_jobs.conftest import HEADER, ROWS, run

NUMBERS = list(range(100, 5100))
BEGIN = 4  # of the first page, behind the magic number


def parquet(tmp_path: Path, **options: Any) -> bytes:
    """A file of 5,000 rows that the contract takes."""
    columns = {
        "number": pa.array(NUMBERS, pa.int64()),
        "changed_at": ["2017-01-01 12:00:00"] * len(NUMBERS),
        "amount": ["1.00"] * len(NUMBERS),
        "code": ["AB"] * len(NUMBERS),
    }
    pq.write_table(pa.table(columns), tmp_path / "made", **options)
    return (tmp_path / "made").read_bytes()


def overwritten(content: bytes, begin: int, end: int, byte: int) -> bytes:
    return content[:begin] + bytes([byte]) * (end - begin) + content[end:]


def with_a_bit_changed(content: bytes) -> bytes:
    """Of a number in a page that is not compressed: what was written is another number then."""
    at = content.index(NUMBERS[2_500].to_bytes(8, "little"))
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def with_the_last_page_spoiled(content: bytes) -> bytes:
    """Whose numbers are behind the 4,096 rows that Spark reads first."""
    at = content.index(NUMBERS[4_500].to_bytes(8, "little"))
    return overwritten(content, at - 20, at, 0xFF)


PLAIN: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
DAMAGES: dict[str, tuple[dict[str, Any], Callable[[bytes], bytes]]] = {
    "a page's header": ({}, lambda content: overwritten(content, BEGIN, 40, 0xFF)),
    "a page that is no more": ({}, lambda content: overwritten(content, BEGIN, 10_000, 0)),
    "a page that can't be decompressed": ({}, lambda content: overwritten(content, 2_000, 2_200, 0x5A)),
    "a gzipped page": (
        {"compression": "gzip"},
        lambda content: overwritten(content, 2_000, 2_200, 0x5A),
    ),
    "a bit, where there is a checksum": (PLAIN, with_a_bit_changed),
    "a page behind the first rows": (PLAIN | {"row_group_size": 4_500}, with_the_last_page_spoiled),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_rejected_and_the_others_go_on(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path, damage: str
) -> None:
    options, spoil = DAMAGES[damage]
    sound = parquet(tmp_path, **options)
    files = {
        "a.csv": "\n".join([HEADER, *ROWS]).encode(),
        "b c.parquet": spoil(sound),
        "d.parquet": sound,
        "e.parquet": spoil(sound),
    }
    cleaned = run(spark, document, tmp_path / "bronze", files)
    assert [cleaned.counts(name)[0] for name in files] == [len(ROWS), 0, len(NUMBERS), 0]
    told = {Path(line["uri"]).name: line["reason"] for line in cleaned.metrics["files"]}
    assert (told["a.csv"], told["d.parquet"]) == (None, None)
    for name in ("b c.parquet", "e.parquet"):
        assert told[name].startswith("unreadable: ")
    assert cleaned.rows.count() == len(ROWS) + len(NUMBERS)


def test_a_file_that_is_gone_is_no_damage(
    spark: SparkSession, document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clean.clean_rows

    def gone(*planned: Any) -> DataFrame:
        rows = real(*planned)
        (tmp_path / "bronze" / "a.parquet").unlink()
        return rows

    monkeypatch.setattr(clean, "clean_rows", gone)
    with pytest.raises(Py4JJavaError, match="FileNotFoundException"):
        run(spark, document, tmp_path / "bronze", {"a.parquet": parquet(tmp_path)})
