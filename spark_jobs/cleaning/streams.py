"""Bytes of files in Hadoop's file systems, read on the driver by Java's streams, never as a whole."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from pyspark.sql import SparkSession

from medallion.hadoop_files import file_system

HEAD_BYTES = 64 * 1024


@contextmanager
def decompressed(spark: SparkSession, uri: str) -> Iterator[Any]:
    """A file's bytes as a stream, decompressed by the codec that Spark reads it with: others see the end of
    several compressed parts elsewhere, and take files that Spark does not.
    """
    jvm: Any = spark._jvm
    files, path = file_system(spark, uri)
    with closing(files.open(path)) as stream:
        if not uri.endswith(".gz"):
            yield stream
            return
        codec = jvm.org.apache.hadoop.io.compress.GzipCodec()
        codec.setConf(spark._jsc.hadoopConfiguration())
        with closing(codec.createInputStream(stream)) as plain:
            yield plain


def read_head(spark: SparkSession, uri: str) -> tuple[bytes, int]:
    """The first 64 KiB of a file and its whole size in bytes, both decompressed."""
    jvm: Any = spark._jvm
    with decompressed(spark, uri) as plain:
        head = bytes(plain.readNBytes(HEAD_BYTES))
        if not uri.endswith(".gz"):
            files, path = file_system(spark, uri)
            return head, files.getFileStatus(path).getLen()
        return head, len(head) + plain.transferTo(jvm.java.io.OutputStream.nullOutputStream())


def read_whole(spark: SparkSession, uri: str, limit: int) -> bytes | None:
    """All of a file, decompressed; None where that is more than so many bytes."""
    with decompressed(spark, uri) as plain:
        content = bytes(plain.readNBytes(limit + 1))
    return content if len(content) <= limit else None


def unpack(spark: SparkSession, uri: str, target: str, encoding: str | None = None) -> str:
    """Copies a file, decompressed and, where its encoding is given, as UTF-8; returns the copy's path.

    Raises Java's MalformedInputException or UnmappableCharacterException for bytes of another encoding.
    """
    jvm: Any = spark._jvm
    files, path = file_system(spark, target)
    with closing(files.create(path, True)) as sink, decompressed(spark, uri) as plain:
        if encoding is None:
            plain.transferTo(sink)
        else:
            report = jvm.java.nio.charset.CodingErrorAction.REPORT
            decoder = jvm.java.nio.charset.Charset.forName(encoding).newDecoder()
            decoder = decoder.onMalformedInput(report).onUnmappableCharacter(report)
            writer = jvm.java.io.OutputStreamWriter(sink, "UTF-8")
            jvm.java.io.InputStreamReader(plain, decoder).transferTo(writer)
            writer.flush()
    return target


def remove(spark: SparkSession, uri: str) -> None:
    """Removes a folder with all that is in it, if it is there."""
    files, path = file_system(spark, uri)
    files.delete(path, True)
