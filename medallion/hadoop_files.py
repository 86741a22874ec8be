"""Small objects through Spark's own file systems, so that gs:// and local paths are read the same way."""

from typing import Any

from medallion.errors import MedallionError


def read_bytes(spark: Any, uri: str) -> bytes:
    """The whole content of an object. Raises what the file system raises when there is none."""
    files, path = file_system(spark, uri)
    stream = files.open(path)
    try:
        return bytes(stream.readAllBytes())
    finally:
        stream.close()


def exists(spark: Any, uri: str) -> bool:
    """Whether an object is there."""
    files, path = file_system(spark, uri)
    return bool(files.exists(path))


def write_bytes(spark: Any, uri: str, data: bytes, overwrite: bool = False) -> None:
    """Writes an object as a whole; create-only unless told otherwise.

    Writing the same content again is no error, so that a retry may. Raises MedallionError when the object
    exists with other content.
    """
    files, path = file_system(spark, uri)
    if overwrite:
        _fill(files.create(path, True), data)
        return
    if not files.exists(path):
        _create(files, path, data)
    if read_bytes(spark, uri) != data:
        raise MedallionError(
            f"{uri}: expected no object or the same content, got other content. "
            "Next: versions are never overwritten; write to a new one."
        )


def _create(files: Any, path: Any, data: bytes) -> None:
    """Writes what is there as a whole or not at all, whenever the writer dies."""
    # A bucket does that by itself, and its writer may not rename. A file is there from its first byte on.
    if not files.hasPathCapability(path, "fs.capability.paths.permissions"):
        _fill(files.create(path, False), data)
        return
    # Called like Spark's own unfinished work, which nobody reads.
    part = path.getParent().suffix(f"/.spark-staging-{path.getName()}")
    _fill(files.create(part, True), data)
    files.rename(part, path)


def _fill(stream: Any, data: bytes) -> None:
    stream.write(bytearray(data))
    stream.close()  # not where writing failed: a bucket keeps what is closed


def file_system(spark: Any, uri: str) -> tuple[Any, Any]:
    """Hadoop's file system of a URI, and the URI as its path."""
    # By its whole name: one part after the other, Java would look for a class of each, in every archive.
    path = getattr(spark._jvm, "org.apache.hadoop.fs.Path")(uri)
    return path.getFileSystem(spark._jsc.hadoopConfiguration()), path
