"""What is found out about a file before its rows are read."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from medallion.contracts import Contract
from medallion.manifest import SourceFile
from spark_jobs.cleaning.files import Inspection, inspect, missing_columns
from spark_jobs.cleaning.streams import HEAD_BYTES
from tests.spark_jobs.conftest import HEADER, ROW, Bronze

COLUMNS = ("number", "changed_at", "amount", "code")


@dataclass(frozen=True)
class Look:
    spark: SparkSession
    contract: Contract
    bronze: Bronze

    def __call__(self, content: str | bytes, name: str = "orders.csv") -> Inspection:
        return self.at(self.bronze.land(name, content))

    def at(self, file: SourceFile) -> Inspection:
        (found,) = inspect(self.spark, [file], self.contract, f"{self.bronze.folder}/unpacked")
        return found


@pytest.fixture
def look(spark: SparkSession, contract: Contract, bronze: Bronze) -> Look:
    return Look(spark, contract, bronze)


def test_a_good_file_has_a_header_with_columns(look: Look) -> None:
    found = look(f"{HEADER}\n{ROW}\n")
    assert (found.header, found.columns, found.reason) == (HEADER, COLUMNS, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty: the file has no bytes"),
        (f"{HEADER}\n1,\0".encode(), f"not text: a zero byte at offset {len(HEADER) + 3}"),
        (f"{HEADER}\n1,é".encode("latin-1"), "not UTF-8: 1 of the first 2 lines"),
        (f"{HEADER}\n{ROW}\n".encode("utf-16-le"), "not text: a zero byte at offset 1"),
        (f"{HEADER},number,code\n{ROW},1,AB\n", "wrong header: repeated code, number"),
        (f"changed_at,code\n{ROW}\n", "wrong header: missing id or number, amount among 2 columns"),
        ("\n\n", "wrong header: missing id or number, changed_at, amount among 0 columns"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(look: Look, content: str | bytes, reason: str) -> None:
    assert look(content).reason == reason


@pytest.mark.parametrize("name", ["_orders.csv", ".orders.csv", "orders.csv._COPYING_"])
def test_a_name_that_spark_takes_for_no_data_is_refused(look: Look, name: str) -> None:
    assert look(f"{HEADER}\n{ROW}\n", name).reason.startswith("wrong name: Spark reads no file whose name")


def test_compression_that_nobody_unpacks_here_is_refused(look: Look) -> None:
    assert (
        look(f"{HEADER}\n{ROW}\n", "orders.bz2").reason == "wrong name: of compressed files only .gz is read"
    )


def test_a_storage_that_fails_is_no_fault_of_the_file(
    spark: SparkSession, contract: Contract, bronze: Bronze
) -> None:
    gone = SourceFile(str(bronze.folder / "gone.csv"), 1, 1, "")
    with pytest.raises(Py4JJavaError, match="FileNotFoundException"):
        inspect(spark, [gone], contract, "unpacked")


@pytest.mark.parametrize("line", [ROW, "1,AB,AB,AB"])
def test_a_reason_repeats_nothing_of_a_file_without_a_header(look: Look, line: str) -> None:
    assert "ab" not in look(f"{line}\n{line}\n").reason.lower()


def test_a_compressed_file_is_read(look: Look) -> None:
    found = look(gzip.compress(f"{HEADER}\n{ROW}\n".encode()), "orders.csv.gz")
    assert (found.columns, found.reason) == (COLUMNS, None)


def test_a_truncated_compressed_file_is_unreadable_however_far_its_head_goes(look: Look) -> None:
    rows = "".join(f"{number},2017-01-01 12:00:00,1.00,AB\n" for number in range(HEAD_BYTES // 10))
    whole = gzip.compress(f"{HEADER}\n{rows}".encode())
    assert look(whole[:-20], "orders.csv.gz").reason.startswith("unreadable: java.io.EOFException")


def test_plain_text_under_a_compressed_name_is_unreadable(look: Look) -> None:
    found = look(f"{HEADER}\n{ROW}\n", "orders.csv.gz")
    assert found.reason == "unreadable: java.io.IOException: not a gzip file"


def test_what_follows_a_compressed_file_makes_it_unreadable(look: Look) -> None:
    content = gzip.compress(f"{HEADER}\n{ROW}\n".encode()) + bytes(100)
    assert look(content, "orders.csv.gz").reason.startswith("unreadable: java.io")


def test_a_file_of_several_compressed_parts_is_read_to_its_end(look: Look) -> None:
    parts = [gzip.compress(f"{ROW}\n".encode()) for _ in range(200)]
    found = look(gzip.compress(f"{HEADER}\n".encode()) + b"".join(parts), "orders.csv.gz")
    assert (found.size, found.reason) == (len(f"{HEADER}\n") + 200 * len(f"{ROW}\n"), None)


def test_a_byte_order_mark_is_no_part_of_the_header(look: Look) -> None:
    found = look(f"\ufeff{HEADER}\n{ROW}\n")
    assert (found.header, found.reason) == (HEADER, None)


def test_header_names_are_lower_case_unquoted_and_without_blanks(look: Look) -> None:
    found = look(f'"Number", Changed_At ,AMOUNT,"code"\r\n{ROW}\r\n')
    assert (found.columns, found.reason) == (COLUMNS, None)


def test_blank_lines_before_the_header_are_skipped(look: Look) -> None:
    assert look(f"\n  \n{HEADER}\n{ROW}\n").columns == COLUMNS


def test_columns_may_come_in_any_order_and_with_others(look: Look) -> None:
    found = look("extra,amount,number,changed_at\nx,1.00,1,2017-01-01 12:00:00\n")
    assert (found.columns, found.reason) == (("extra", "amount", "number", "changed_at"), None)


def test_a_column_goes_by_its_own_name_or_an_alias(look: Look) -> None:
    assert look(f"id,changed_at,amount\n{ROW}\n").reason is None
    assert look(f"number,changed_at,amount\n{ROW}\n").reason is None


def test_a_columns_own_name_goes_before_its_alias(contract: Contract) -> None:
    column = contract.columns[0]
    assert column.source_in(("number", "id")) == "id"
    assert column.source_in(("number",)) == "number"
    assert column.source_in(("amount",)) is None


def test_an_optional_column_may_be_missing(look: Look, contract: Contract) -> None:
    found = look("number,changed_at,amount\n1,2017-01-01 12:00:00,1.00\n")
    assert (found.reason, missing_columns(found, contract)) == (None, ["code"])


def test_a_character_cut_by_the_end_of_the_head_is_no_fault(look: Look) -> None:
    padding = "x" * (HEAD_BYTES - len(HEADER) - 2)
    found = look(f"{HEADER}\n{padding}é\n{ROW}\n")
    assert (found.columns, found.reason) == (COLUMNS, None)


def test_inspections_come_in_the_order_of_the_files(
    spark: SparkSession, contract: Contract, bronze: Bronze
) -> None:
    files = [bronze.land(f"{number}.csv", "" if number % 2 else f"{HEADER}\n{ROW}\n") for number in range(20)]
    found = inspect(spark, files, contract, "unpacked")
    assert [inspection.file for inspection in found] == files
    assert [inspection.reason is None for inspection in found] == [True, False] * 10


def test_a_first_line_without_end_is_no_header(look: Look) -> None:
    assert look("x" * 70_000).reason == "wrong header: no line ends in the first 65536 characters"


def test_a_carriage_return_alone_ends_no_line(look: Look) -> None:
    found = look(f"{HEADER}\r{ROW}\r")
    assert found.reason == "wrong line ends: a carriage return alone; expected LF or CRLF"


def test_a_file_tells_its_format_itself(look: Look, spark: SparkSession) -> None:
    assert look('{"number": 1}\n', "a.txt").format == "json"
    assert look(f"{HEADER}\n{ROW}\n", "a.json").format == "csv"
    folder = look.bronze.folder / "parquet"
    spark.range(1, numPartitions=1).selectExpr(
        "id AS number", "now() AS changed_at", "1.00BD AS amount"
    ).write.parquet(str(folder))
    (part,) = folder.glob("*.parquet")
    found = look(part.read_bytes(), "a.csv")
    assert (found.format, found.columns) == ("parquet", ("number", "changed_at", "amount"))


def test_a_truncated_parquet_file_is_unreadable_for_the_same_reason_each_time(look: Look) -> None:
    cut = b"PAR1" + bytes(100)
    reasons = [look(cut, "a.parquet").reason for _ in range(2)]
    told = f"file:{look.bronze.folder}/a.parquet is not a Parquet file."
    assert reasons[0].startswith(f"unreadable: java.lang.RuntimeException: {told}")
    assert reasons[0] == reasons[1]


def test_a_parquet_type_that_spark_does_not_know_is_told(look: Look, tmp_path: Path) -> None:
    pq.write_table(pa.table({"changed_at": pa.array([1], pa.timestamp("ns"))}), tmp_path / "made")
    told = "AnalysisException: Illegal Parquet type: INT64 (TIMESTAMP(NANOS,false))."
    assert told in look((tmp_path / "made").read_bytes(), "a.parquet").reason


@pytest.fixture
def checked_files(spark: SparkSession) -> Iterator[None]:
    """Hadoop's own file system, which holds files to their checksums, whatever other tests have chosen."""
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    wanted = {"impl": "org.apache.hadoop.fs.LocalFileSystem", "impl.disable.cache": "true"}
    before = {name: hadoop.get(f"fs.file.{name}") for name in wanted}
    for name, value in wanted.items():
        hadoop.set(f"fs.file.{name}", value)
    yield
    for name, value in before.items():
        hadoop.unset(f"fs.file.{name}") if value is None else hadoop.set(f"fs.file.{name}", value)


@pytest.mark.usefixtures("checked_files")
def test_a_storage_that_fails_at_a_schema_is_no_fault_of_the_file(look: Look, tmp_path: Path) -> None:
    file = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"id": range(100_000)}), file)  # far longer than its head
    data = file.read_bytes()
    chunks = [data[place : place + 512] for place in range(0, len(data), 512)]
    sums = b"".join(zlib.crc32(chunk).to_bytes(4, "big") for chunk in chunks[:-1]) + bytes(4)
    # As they are kept beside a file; the last one is wrong.
    file.with_name(f".{file.name}.crc").write_bytes(b"crc\0" + (512).to_bytes(4, "big") + sums)
    with pytest.raises(Py4JJavaError, match="ChecksumException"):
        look.at(SourceFile(str(file), 1, 1, ""))
