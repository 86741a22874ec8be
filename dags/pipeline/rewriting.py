"""Takes a person's rows out of a file, and leaves the rest of its bytes as they were.

What is a row, and what are its fields, is told as the Spark job tells it (spark_jobs/cleaning): otherwise
other people's rows would go, or the person's stay.
"""

import codecs
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from medallion.contracts import MAX_RECORD_LINES
from pipeline.person import Person

GZIP_MAGIC = b"\x1f\x8b"
BOM = "\ufeff"
UNPACKED = {"UNCOMPRESSED": "NONE"}  # how a file of Parquet calls it, and how its writer does
BROKEN = "surrogateescape"  # bytes that are not in a text's encoding come through it as they are
BROKEN_TEXT = re.compile("[\udc80-\udcff]")


def without(data: bytes, file_format: str, person: Person) -> tuple[bytes, int]:
    """A file's bytes without a person's rows, and how many rows that were; packed again if it was.

    A line that is not in the file's encoding goes if it names the person. Raises UnicodeError for a file of
    which not even lines can be told.
    """
    packed = data.startswith(GZIP_MAGIC)
    plain = gzip.decompress(data) if packed else data
    if file_format == "parquet":
        kept, removed = _without_parquet(plain, person)
    else:
        kept, removed = _without_lines(plain, file_format, person)
    if not removed:
        return data, 0
    return gzip.compress(kept, mtime=0) if packed else kept, removed


def row_test(file_format: str, header: str, person: Person) -> Callable[[str], bool]:
    """Whether the text of a row is the person's, by the layout of its file.

    Of a row that does not fit the layout it is, where the value stands in it by itself.
    """
    if file_format != "csv":  # the text of a row of Parquet is its JSON
        return lambda raw: _is_in_json(raw, person)
    delimiter, names = person.contract.delimiter, person.contract.header_names(header)
    place = person.place(names)

    def is_in_csv(raw: str) -> bool:
        fields = _fields(raw, delimiter)
        if place is None or len(fields) != len(names):
            return person.is_named(raw)
        return person.is_meant(fields[place])

    return is_in_csv


def _fields(row: str, delimiter: str) -> list[str]:
    """The fields of a CSV row (spark_jobs/cleaning/read_csv.py); none where they are not all of the row."""
    if '"' not in row:
        return row.split(delimiter)
    mark = re.escape(delimiter)
    # Possessive, so that no row makes it try twice. A delimiter goes behind the last field as well.
    field = rf'("(?:[^"]++|"")*+"|(?:[^"{mark}](?:[^"{mark}]|"(?!"))*+)?+){mark}'
    fields = re.findall(field, row + delimiter)
    if delimiter.join(fields) != row:
        return []
    return [text[1:-1].replace('""', '"') if text.startswith('"') else text for text in fields]


def _is_in_json(raw: str, person: Person) -> bool:
    try:
        # An object as pairs, for of a key that comes twice a dictionary would keep one.
        row = json.loads(raw, parse_int=str, parse_float=str, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return person.is_named(raw)
    if not isinstance(row, tuple):
        return person.is_named(raw)
    sources = tuple(map(str.lower, person.column.sources))
    told = [(key.lower(), value) for key, value in row if key.lower() in sources]
    values = dict(told)
    if len(values) < len(told):
        return person.is_named(raw)
    # The job takes the first that is not null, whatever its case.
    value = next((values[source] for source in sources if values.get(source) is not None), None)
    return value is not None and person.is_meant(value)


def _without_lines(data: bytes, file_format: str, person: Person) -> tuple[bytes, int]:
    codec = _codec(data, person.contract.encoding)
    text = data.decode(codec, BROKEN)
    mark = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(mark)
    header, multiline = "", False
    if file_format == "csv":
        multiline = person.contract.multiline
        header = next((row for row in map(_row, _records(text, multiline)) if _is_row(row)), "")
    is_theirs = row_test(file_format, header, person)
    kept, removed = [mark], 0
    for record in _records(text, multiline):
        row = _row(record)
        test = person.is_named if BROKEN_TEXT.search(row) else is_theirs
        if _is_row(row) and row != header and test(row):
            removed += 1
        else:
            kept.append(record)
    return "".join(kept).encode(codec, BROKEN), removed


def _without_parquet(data: bytes, person: Person) -> tuple[bytes, int]:
    # By default Spark writes times of 96 bits. Read as nanoseconds, they would be written as such, which it
    # does not read.
    source = pq.ParquetFile(io.BytesIO(data), coerce_int96_timestamp_unit="us")
    place = person.place(list(map(str.lower, source.schema_arrow.names)))
    if place is None or source.num_row_groups == 0:
        return data, 0
    schema, compression = _with_instants(source), source.metadata.row_group(0).column(0).compression
    written, removed = io.BytesIO(), 0
    with pq.ParquetWriter(written, schema, compression=UNPACKED.get(compression, compression)) as writer:
        for number in range(source.num_row_groups):
            rows = source.read_row_group(number).cast(schema)
            kept = rows.filter([not _is_theirs(value, person) for value in _values(rows.column(place))])
            if kept.num_rows:
                writer.write_table(kept, row_group_size=kept.num_rows)
            removed += rows.num_rows - kept.num_rows
    return written.getvalue(), removed


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column's values; texts as bytes, for whoever wrote them has them in any encoding."""
    texts = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return (column.cast(pa.large_binary()) if texts else column).to_pylist()


def _is_theirs(value: Any, person: Person) -> bool:
    if not isinstance(value, bytes):
        return value is not None and person.is_meant(value)
    text = value.decode(errors=BROKEN)
    return person.is_named(text) if BROKEN_TEXT.search(text) else person.is_meant(text)


def _with_instants(source: pq.ParquetFile) -> pa.Schema:
    """A file's schema, in which times of 96 bits are the instants for which Spark takes them."""
    leaves = (source.schema.column(number) for number in range(source.metadata.num_columns))
    times = {leaf.path for leaf in leaves if leaf.physical_type == "INT96"}
    fields = (
        field.with_type(pa.timestamp("us", "UTC")) if field.name in times else field
        for field in source.schema_arrow
    )
    return pa.schema(fields, source.schema_arrow.metadata)


def _codec(data: bytes, encoding: str) -> str:
    """An encoding as the job reads it: UTF-16 by the mark of its byte order, which stays in the text."""
    if encoding != "UTF-16":
        return encoding
    return "UTF-16LE" if data.startswith(codecs.BOM_UTF16_LE) else "UTF-16BE"


def _records(text: str, multiline: bool) -> Iterator[str]:
    """The texts of rows with their line ends, which where `multiline` quoted fields may hold too: a row ends
    where quotes are paired (spark_jobs/cleaning/lines.py).
    """
    lines: list[str] = []
    quotes = 0
    for line in io.StringIO(text, newline="\n"):
        lines.append(line)
        quotes += line.count('"') if multiline else 0
        if quotes % 2 == 0 or len(lines) == MAX_RECORD_LINES:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def _row(record: str) -> str:
    """The text of a row without its line's end: LF, or CRLF."""
    return record.removesuffix("\n").removesuffix("\r")


def _is_row(text: str) -> bool:
    return text.strip(" ") != ""
