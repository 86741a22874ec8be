"""Whatever the files of a run are called, each is read as itself or refused: none is a pattern or a way."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from local.spark_submit import file_systems
from medallion.contracts import Contract
from medallion.manifest import SourceFile
from spark_jobs.cleaning.files import inspect
from tests.fuzzing import CASES, LONG
from tests.spark_jobs.conftest import HEADER, Bronze, Rows

PIECES = (
    *("*", "?", "[a]", "[", "]", "[!a]", "{a,b}", "{", "}"),
    *("\\", "\\*", "a", "b", "..", "...", "~", ":", "a:b"),
    *("%", "%41", "%2F", "%2e%2e", "%00", "+", "#", "&", "="),
    *("day=1", ";", ",", "$(x)", "`x`", "'", '"', "<b>"),
    *(" ", "\t", "\x01", "\x7f", "\x85", "\u00a0", "\u2028", "\ufeff", "ü", "u\u0308", "日本", "😀", "file:"),
)


@pytest.fixture
def objects(spark: SparkSession, tmp_path: Path) -> Iterator[Bronze]:
    """A folder that is also gs://hostile-names/orders, as the local cloud has it."""
    configuration = spark.sparkContext._jsc.hadoopConfiguration()  # type: ignore[union-attr]
    folder = tmp_path / "buckets" / "hostile-names"
    (folder / "orders").mkdir(parents=True)
    options = file_systems(folder.parent)
    for name, value in options.items():
        configuration.set(name.removeprefix("spark.hadoop."), value)
    yield Bronze(folder / "orders")
    for name in options:
        configuration.unset(name.removeprefix("spark.hadoop."))


def make_names(number: int) -> list[str]:
    """Names that differ; those that begin as no data does are held by test_files.py."""
    chance = random.Random() if LONG else random.Random(8)
    names = dict.fromkeys(PIECES)
    while len(names) < number:
        names["".join(chance.choices(PIECES, k=chance.randrange(2, 9)))] = None
    return [name for name in names if not name.startswith((".", "_"))]


def is_refused(name: str) -> bool:
    return ":" in name and bool(set("[]{}*?\\") & set(name))


def test_every_file_is_read_as_itself(rows: Rows, objects: Bronze) -> None:
    names = make_names(CASES)
    files = []
    for number, name in enumerate(names, start=1):
        landed = objects.land_rows(name, f"{number},2017-01-01 00:00:00,1.00,AB")
        files.append(replace(landed, uri=f"gs://hostile-names/orders/{name}"))
    found = rows(*files).select("id", "file__", "status").collect()
    assert sum(map(is_refused, names)) < len(names) / 2
    assert Counter(map(tuple, found)) == Counter(
        (number, number - 1, "valid") for number, name in enumerate(names, start=1) if not is_refused(name)
    )


@pytest.mark.parametrize("name", ["[a].parquet", "{a,b}.parquet"])
def test_a_parquet_files_name_is_no_pattern(
    rows: Rows, bronze: Bronze, spark: SparkSession, name: str
) -> None:
    folder = bronze.folder.parent / "parquet"
    row = ("7L AS number", "'2017-01-01 00:00:00' AS changed_at", "1.00BD AS amount")
    spark.range(1, numPartitions=1).selectExpr(*row).write.parquet(str(folder))
    (part,) = folder.glob("*.parquet")
    bronze.land("a.parquet", f"{HEADER}\n")  # what the pattern would find instead
    found = rows(bronze.land(name, part.read_bytes())).select("id", "status").collect()
    assert [tuple(row) for row in found] == [(7, "valid")]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *((name, "takes . and .. for places") for name in ("../other/a", "a/../../other/a", "./a", "a/..")),
        *((name, "and // for /, and would read another") for name in ("a//b", "/a", "//a")),
        *((name, "with a colon beside one of") for name in ("a:[b]", "a:b/*", "?:")),
    ],
)
def test_a_name_that_would_lead_to_another_object_is_refused(
    spark: SparkSession, contract: Contract, name: str, fault: str
) -> None:
    (found,) = inspect(spark, [SourceFile(f"gs://bronze/orders/{name}", 1, 1, "")], contract, "unpacked")
    assert fault in str(found.reason)
