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
    if not overwrite and files.exists(path):
        if read_bytes(spark, uri) != data:
            raise MedallionError(
                f"{uri}: expected no object or the same content, got other content. "
                "Next: versions are never overwritten; write to a new one."
            )
        return
    stream = files.create(path, overwrite)
    try:
        stream.write(bytearray(data))
    finally:
        stream.close()


def file_system(spark: Any, uri: str) -> tuple[Any, Any]:
    """Hadoop's file system of a URI, and the URI as its path."""
    # By its whole name: one part after the other, Java would look for a class of each, in every archive.
    path = getattr(spark._jvm, "org.apache.hadoop.fs.Path")(uri)
    return path.getFileSystem(spark._jsc.hadoopConfiguration()), path
