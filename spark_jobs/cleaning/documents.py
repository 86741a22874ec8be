"""JSON documents, as APIs answer them, unpacked to JSON Lines: a row for each of their records."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyspark.sql import SparkSession

from medallion.contracts import Contract
from spark_jobs.cleaning.streams import read_whole

MAX_BYTES = 64 * 1024 * 1024  # of a document, which is taken apart in memory

Json = dict[str, Any]


class DocumentError(ValueError):
    """What is wrong with a document."""


class Number(str):
    """A number as its digits, of which a float would lose some."""


def read_document(
    spark: SparkSession, text_uri: str, uri: str, contract: Contract
) -> tuple[bytes, str | None]:
    """The rows of a document, an object a line, or none and why it can't be used.

    `text_uri` is where its text is, `uri` where it landed.
    """
    text = read_whole(spark, text_uri, MAX_BYTES)
    if text is None:
        return b"", f"too long: a document of over {MAX_BYTES:,} bytes"
    try:
        lines = [_line(row) for row in rows(text, uri, contract)]
    except (DocumentError, RecursionError) as error:
        return b"", f"wrong document: {error}"
    # Half of a character of two, which UTF-8 has no bytes for, stays the escape that it was.
    return "".join(lines).encode(
        errors="backslashreplace"
    ), None if lines else "no rows: the document has no records"


def rows(text: bytes, uri: str, contract: Contract) -> Iterator[Json]:
    """The records of a document, or of each one in a list.

    A record has its own fields; of the document around it, and of the key=value parts of its file's path, it
    gets what the contract knows, whatever its case. Raises DocumentError for a document without records.
    """
    known = {source.lower() for column in contract.read_columns for source in column.sources}
    of_path = {key: value for key, value in _path_values(uri) if key.lower() in known}
    try:
        document = json.loads(
            text,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"no JSON: {error}") from error
    for item in document if isinstance(document, list) else [document]:
        if not isinstance(item, dict):
            raise DocumentError(f"expected an object, got a {_kind(item)}")
        around = _within(of_path, {key: value for key, value in item.items() if key.lower() in known})
        for record in _records(item, contract.records or ""):
            yield _within(around, record)


def _within(around: Json, inner: Json) -> Json:
    """An object with what it gets from around it: nothing that it has itself."""
    own = set(map(str.lower, inner))
    return {**{key: value for key, value in around.items() if key.lower() not in own}, **inner}


def _records(document: Json, place: str) -> Iterable[Json]:
    """A list of objects as it is; an object of lists that belong together, as an object for each place."""
    found: Any = document
    for name in place.split("."):
        if not isinstance(found, dict) or name not in found:
            raise DocumentError(f"nothing at {place!r}")
        found = found[name]
    if isinstance(found, list) and all(isinstance(record, dict) for record in found):
        return found
    if not isinstance(found, dict) or not all(isinstance(values, list) for values in found.values()):
        raise DocumentError(
            f"{place!r}: expected a list of objects or an object of lists, got a {_kind(found)}"
        )
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise DocumentError(f"{place!r}: expected lists of one length, got {told}")
    return (dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True))


def _line(row: Mapping[str, Any]) -> str:
    fields = (f"{json.dumps(name, ensure_ascii=False)}: {_text(value)}" for name, value in row.items())
    return f"{{{', '.join(fields)}}}\n"


def _text(value: Any) -> str:
    match value:
        case Number():
            return value
        case dict():
            return _line(value)[:-1]
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _path_values(uri: str) -> Iterator[tuple[str, str]]:
    for part in uri.split("/"):
        key, equals, value = part.partition("=")
        if equals:
            yield key, value


def _no_number(name: str) -> None:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key twice in one object, of whose values one would be lost")
    return made


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
