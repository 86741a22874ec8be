"""Java's errors: whether a file's bytes have caused them, or what may pass."""

from typing import Any

JAVA = ("java.", "jdk.", "sun.")
DECODERS = (
    *("org.apache.parquet.", "shaded.parquet.", "org.apache.spark.sql.execution.datasources.parquet."),
    *("org.apache.hadoop.io.compress.", "org.xerial.snappy.", "com.github.luben.zstd."),
)
NOT_DECODED = ("MalformedInputException", "UnmappableCharacterException")  # of an encoding, whoever asked


def causes(error: Any) -> list[Any]:
    """An error and what has caused it, the innermost cause last."""
    found = []
    while error is not None:
        found.append(error)
        error = error.getCause()
    return found


def is_of_bytes(error: Any) -> bool:
    """Whether a decoder could not go on: it called nothing but Java's own code, and no storage."""
    name = error.getClass().getSimpleName()
    if name in NOT_DECODED:
        return True
    if name.endswith("Error"):
        return False  # of the machine, as Java calls them: out of memory, or a library that it can't load
    callers = (frame.getClassName() for frame in error.getStackTrace())
    return next((name for name in callers if not name.startswith(JAVA)), "").startswith(DECODERS)


def is_of_analysis(error: Any) -> bool:
    """Whether Spark has no type for what a schema says."""
    return error.getClass().getSimpleName() == "AnalysisException"


def unreadable(error: Any) -> str:
    """The reason for a file that has caused such an error."""
    return f"unreadable: {first_line(error.toString())}"


def first_line(message: str) -> str:
    """As much of an error's message as tells what it is."""
    return message.splitlines()[0][:200]
