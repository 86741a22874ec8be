"""Bytes of files in Hadoop's file systems, read on the driver by Java's streams, never as a whole."""

from typing import Any

from pyspark.sql import SparkSession

from medallion.hadoop_files import file_system

HEAD_BYTES = 64 * 1024


def read_head(spark: SparkSession, uri: str) -> tuple[bytes, int]:
    """The first 64 KiB of a file and its whole size in bytes, both decompressed."""
    jvm: Any = spark._jvm
    files, path = file_system(spark, uri)
    stream = files.open(path)
    try:
        if not uri.endswith(".gz"):
            return bytes(stream.readNBytes(HEAD_BYTES)), files.getFileStatus(path).getLen()
        unzipped = jvm.java.util.zip.GZIPInputStream(stream)
        head = bytes(unzipped.readNBytes(HEAD_BYTES))
        rest = unzipped.transferTo(jvm.java.io.OutputStream.nullOutputStream())
        return head, len(head) + rest
    finally:
        stream.close()


def read_whole(spark: SparkSession, uri: str, limit: int) -> bytes | None:
    """All of a file, decompressed; None where that is more than so many bytes."""
    jvm: Any = spark._jvm
    files, path = file_system(spark, uri)
    stream = files.open(path)
    try:
        plain = jvm.java.util.zip.GZIPInputStream(stream) if uri.endswith(".gz") else stream
        content = bytes(plain.readNBytes(limit + 1))
    finally:
        stream.close()
    return content if len(content) <= limit else None


def unpack(spark: SparkSession, uri: str, target: str, encoding: str | None = None) -> str:
    """Copies a file, decompressed and, where its encoding is given, as UTF-8; returns the copy's path.

    Raises Java's MalformedInputException or UnmappableCharacterException for bytes of another encoding.
    """
    jvm: Any = spark._jvm
    files, path = file_system(spark, uri)
    target_files, target_path = file_system(spark, target)
    source = files.open(path)
    sink = target_files.create(target_path, True)
    try:
        plain = jvm.java.util.zip.GZIPInputStream(source) if uri.endswith(".gz") else source
        if encoding is None:
            plain.transferTo(sink)
        else:
            report = jvm.java.nio.charset.CodingErrorAction.REPORT
            decoder = jvm.java.nio.charset.Charset.forName(encoding).newDecoder()
            decoder = decoder.onMalformedInput(report).onUnmappableCharacter(report)
            writer = jvm.java.io.OutputStreamWriter(sink, "UTF-8")
            jvm.java.io.InputStreamReader(plain, decoder).transferTo(writer)
            writer.flush()
    finally:
        sink.close()
        source.close()
    return target


def remove(spark: SparkSession, uri: str) -> None:
    """Removes a folder with all that is in it, if it is there."""
    files, path = file_system(spark, uri)
    files.delete(path, True)
