"""Looks at each file before it is read as a whole: its header, and what makes it unusable."""

import csv
import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from medallion.contracts import Contract
from medallion.manifest import SourceFile

HEAD_BYTES = 64 * 1024
READERS = 16
CORRUPT = ("EOFException", "ZipException")
UNPACKED_BY_NAME = (".bz2", ".deflate", ".lz4", ".snappy", ".zst")  # by Spark, but not by inspect


@dataclass(frozen=True)
class Inspection:
    """A file with its header line and the header's names, or with the reason why it can't be used."""

    file: SourceFile
    header: str = ""
    columns: tuple[str, ...] = ()
    reason: str | None = None


def inspect(spark: SparkSession, files: Iterable[SourceFile], contract: Contract) -> list[Inspection]:
    """Inspects files by their first 64 KiB; compressed ones are read to their end, for a truncated
    one would otherwise fail the job, or lose its tail.
    """
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda file: _inspect(spark, file, contract), files))


def _inspect(spark: SparkSession, file: SourceFile, contract: Contract) -> Inspection:
    reason = _name_fault(file.uri.rpartition("/")[2])
    if reason:
        return Inspection(file, reason=reason)
    try:
        head, complete = _read_head(spark, file.uri)
    except Py4JJavaError as error:
        # What is wrong with the storage is not the file's fault: that fails the job, which is tried again.
        if error.java_exception.getClass().getSimpleName() not in CORRUPT:
            raise
        return Inspection(file, reason=f"unreadable: {_cause(error)}")
    if not head:
        return Inspection(file, reason="empty: the file has no bytes")
    text, reason = _decode(head, complete)
    if reason:
        return Inspection(file, reason=reason)
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    columns = _names(header, contract.delimiter)
    reason = _header_fault(columns, contract)
    if reason is None and complete and not any(line.strip() for line in lines[lines.index(header) + 1 :]):
        reason = "header only: the file has no rows"
    return Inspection(file, header, columns, reason)


def source_column(columns: tuple[str, ...], sources: tuple[str, ...]) -> int | None:
    """Position in a header of the first of a column's source names that it holds."""
    return next((columns.index(name) for name in sources if name in columns), None)


def _name_fault(name: str) -> str | None:
    if name.startswith((".", "_")) or name.endswith("._COPYING_"):
        return "wrong name: Spark reads no file whose name begins with . or _, or ends with ._COPYING_"
    if name.endswith(UNPACKED_BY_NAME):
        return "wrong name: of compressed files only .gz is read"
    return None


def _read_head(spark: SparkSession, uri: str) -> tuple[bytes, bool]:
    """The first bytes of a file, decompressed, and whether they are all of it."""
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(uri)
    stream = path.getFileSystem(spark._jsc.hadoopConfiguration()).open(path)
    try:
        if not uri.endswith(".gz"):
            head = bytes(stream.readNBytes(HEAD_BYTES))
            return head, len(head) < HEAD_BYTES
        unzipped = jvm.java.util.zip.GZIPInputStream(stream)
        head = bytes(unzipped.readNBytes(HEAD_BYTES))
        rest = unzipped.transferTo(jvm.java.io.OutputStream.nullOutputStream())
        return head, rest == 0
    finally:
        stream.close()


def _decode(head: bytes, complete: bool) -> tuple[str, str | None]:
    zero = head.find(b"\0")
    if zero >= 0:
        return "", f"not text: a zero byte at offset {zero}"
    try:
        return head.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        if not complete and error.start > len(head) - 4:  # a character cut by the end of the head
            return head[: error.start].decode("utf-8-sig"), None
        return "", f"not UTF-8: byte 0x{head[error.start]:02x} at offset {error.start}"


def _names(header: str, delimiter: str) -> tuple[str, ...]:
    row = next(csv.reader(io.StringIO(header), delimiter=delimiter), [])
    return tuple(name.strip().lower() for name in row)


def _header_fault(columns: tuple[str, ...], contract: Contract) -> str | None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        return f"wrong header: repeated {', '.join(repeated)}"
    missing = [
        " or ".join(column.sources)
        for column in contract.read_columns
        if column.required and source_column(columns, column.sources) is None
    ]
    if missing:
        # What stands there instead may be a customer's data, if the file has no header at all.
        return f"wrong header: missing {', '.join(missing)} among {len(columns)} columns"
    return None


def _cause(error: Py4JJavaError) -> str:
    java = error.java_exception
    return f"{java.getClass().getSimpleName()}: {java.getMessage()}".splitlines()[0][:200]
