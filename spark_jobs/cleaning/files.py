"""Looks at each file before it is read as a whole: its format, its columns, and what makes it unusable."""

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from medallion.contracts import MAX_NEW_COLUMNS, Contract
from medallion.hadoop_files import write_bytes
from medallion.manifest import SourceFile
from spark_jobs.cleaning.documents import read_document
from spark_jobs.cleaning.java_errors import causes, first_line, is_of_analysis, is_of_bytes, unreadable
from spark_jobs.cleaning.new_columns import new_columns
from spark_jobs.cleaning.streams import read_head, unpack

CSV, JSON, PARQUET = "csv", "json", "parquet"
PARQUET_MAGIC = b"PAR1"
BOM = b"\xef\xbb\xbf"
READERS = 16
MAX_BROKEN_RATIO = 0.01
PLACES = {"", ".", ".."}  # Hadoop's paths resolve them, which are names like any others to Cloud Storage
UNPACKED_BY_NAME = (".bz2", ".deflate", ".lz4", ".snappy", ".zst")  # by Spark, but not by inspect


@dataclass(frozen=True)
class Inspection:
    """What is known of a file before it is read, or the reason why it can't be used.

    `path` is where Spark reads it, `size` the bytes that it has to find there (None where nobody counts).
    `header` is a CSV file's first line, or a Parquet file's schema as Spark writes it in JSON; `columns` are
    the file's names in lower case, empty for JSON, whose lines each name their own.
    """

    file: SourceFile
    path: str
    format: str = CSV
    header: str = ""
    columns: tuple[str, ...] = ()
    size: int | None = None
    reason: str | None = None


def inspect(
    spark: SparkSession, files: Iterable[SourceFile], contract: Contract, scratch: str
) -> list[Inspection]:
    """Inspects files by their first 64 KiB; compressed ones are read to their end, for a truncated
    one would otherwise fail the job, or lose its tail.

    What Spark can't read as it is (encodings but UTF-8, compressed Parquet, JSON documents) is unpacked into
    `scratch`.
    """
    with ThreadPoolExecutor(READERS) as pool:
        return list(
            pool.map(
                lambda item: _inspect(spark, item[1], contract, f"{scratch}/{item[0]}"), enumerate(files)
            )
        )


def known_layouts(files: Iterable[SourceFile], contract: Contract) -> list[Inspection]:
    """What the ledger knows of files whose rejected rows are replayed, instead of a look at them."""

    def columns(file: SourceFile) -> tuple[str, ...]:
        header = file.header or ""
        if file.format == PARQUET:
            return tuple(map(str.lower, StructType.fromJson(json.loads(header)).names))
        return contract.header_names(header) if file.format == CSV else ()

    return [
        Inspection(file, file.uri, file.format or CSV, file.header or "", columns(file)) for file in files
    ]


def no_pattern(path: str) -> str:
    """A path for Spark, with what it would take for a pattern escaped."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def missing_columns(found: Inspection, contract: Contract) -> list[str]:
    """The columns of the contract that a usable file doesn't bring; JSON lines bring what they bring."""
    if found.reason or found.format == JSON:
        return []
    return [column.name for column in contract.read_columns if column.source_in(found.columns) is None]


def _inspect(spark: SparkSession, file: SourceFile, contract: Contract, scratch: str) -> Inspection:
    found = Inspection(file, file.uri)
    place = re.sub(r"^\w+:/+|^/", "", file.uri)
    if PLACES & set(place.split("/")):
        fault = "Spark takes . and .. for places and // for /, and would read another object"
        return replace(found, reason=f"wrong name: {fault}")
    if ":" in place and no_pattern(place) != place:
        fault = "Spark reads no name with a colon beside one of []{}*?\\"
        return replace(found, reason=f"wrong name: {fault}")
    name = file.uri.rpartition("/")[2]
    if name.startswith((".", "_")) or name.endswith("._COPYING_"):
        fault = "Spark reads no file whose name begins with . or _, or ends with ._COPYING_"
        return replace(found, reason=f"wrong name: {fault}")
    if name.endswith(UNPACKED_BY_NAME):
        return replace(found, reason="wrong name: of compressed files only .gz is read")
    try:
        return _look(spark, found, contract, scratch)
    except Py4JJavaError as error:
        # What is wrong with the storage is not the file's fault: that fails the job, which is tried again.
        cause = causes(error.java_exception)[-1]
        if not is_of_bytes(cause):
            raise
        return replace(found, reason=unreadable(cause))


def _look(spark: SparkSession, found: Inspection, contract: Contract, scratch: str) -> Inspection:
    head, size = read_head(spark, found.path)
    if not head:
        return replace(found, reason="empty: the file has no bytes")
    if contract.records is not None:
        text = found.path
        if contract.encoding != "UTF-8":
            text = unpack(spark, text, scratch, contract.encoding)
        lines, fault = read_document(spark, text, found.path, contract)
        write_bytes(spark, scratch, lines, overwrite=True)
        return replace(found, format=JSON, path=scratch, size=len(lines), reason=fault)
    if head.startswith(PARQUET_MAGIC):
        if found.path.endswith(".gz"):
            found = replace(found, path=unpack(spark, found.path, scratch))
        return _look_at_parquet(spark, found, contract)
    if contract.encoding != "UTF-8":
        found = replace(found, path=unpack(spark, found.path, scratch, contract.encoding))
        head, size = read_head(spark, found.path)
    text, fault = _decode(head, complete=len(head) == size)
    if fault:
        return replace(found, reason=fault)
    found = replace(found, size=size - len(BOM) if head.startswith(BOM) else size)
    if text.lstrip().startswith("{"):
        return replace(found, format=JSON)
    return _look_at_csv(found, text, complete=len(head) == size, contract=contract)


def _look_at_csv(found: Inspection, text: str, complete: bool, contract: Contract) -> Inspection:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    header = next((line for line in lines if line.strip(" ")), "")
    if "\r" in header:
        return replace(found, reason="wrong line ends: a carriage return alone; expected LF or CRLF")
    if len(lines) == 1 and not complete:
        return replace(found, reason=f"wrong header: no line ends in the first {len(text)} characters")
    found = replace(found, header=header, columns=contract.header_names(header))
    return replace(found, reason=_header_fault(found, contract))


def _look_at_parquet(spark: SparkSession, found: Inspection, contract: Contract) -> Inspection:
    try:
        schema = spark.read.parquet(no_pattern(found.path)).schema
    except AnalysisException as error:
        return replace(found, reason=f"unreadable: {first_line(str(error))}")
    except Py4JJavaError as error:
        # Spark looks at a schema in a job, which may fail for reasons of its own.
        cause = causes(error.java_exception)[-1]
        if not is_of_bytes(cause) and not is_of_analysis(cause):
            raise
        return replace(found, reason=unreadable(cause))
    found = replace(found, format=PARQUET, header=schema.json(), columns=tuple(map(str.lower, schema.names)))
    return replace(found, reason=_header_fault(found, contract))


def _decode(head: bytes, complete: bool) -> tuple[str, str | None]:
    """The head's text, or why it is none. A few broken lines are rejected as rows, more a wrong encoding."""
    zero = head.find(b"\0")
    if zero >= 0:
        return "", f"not text: a zero byte at offset {zero}"
    lines = (head if complete else head[: head.rfind(b"\n") + 1] or head[:-3]).split(b"\n")
    broken = sum(not _is_utf8(line) for line in lines)
    if broken > MAX_BROKEN_RATIO * len(lines):
        return "", f"not UTF-8: {broken} of the first {len(lines)} lines"
    return head.decode("utf-8-sig", errors="replace"), None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header_fault(found: Inspection, contract: Contract) -> str | None:
    columns = found.columns
    missing = [
        " or ".join(column.sources)
        for column in contract.read_columns
        if column.required and column.source_in(columns) is None
    ]
    if missing:
        # What stands there instead may be a customer's data, if the file has no header at all.
        return f"wrong header: missing {', '.join(missing)} among {len(columns)} columns"
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        return f"wrong header: repeated {', '.join(repeated)}"
    new = len(new_columns(columns, contract))
    if contract.evolves and new > MAX_NEW_COLUMNS:
        return f"wrong header: {new:,} columns beyond the contract; expected at most {MAX_NEW_COLUMNS:,}"
    return None
