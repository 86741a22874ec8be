"""Takes a person's rows out of a file, and leaves the rest of its text as it was."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from medallion.contracts import Column, Contract
from medallion.sql import standing_alone

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Person:
    """Whose rows are meant: those whose `column` holds `value`."""

    contract: Contract
    column: Column
    value: str

    @property
    def pattern(self) -> str:
        """The regular expression of a text in which the value stands by itself."""
        return standing_alone(self.value)

    def is_named(self, text: str) -> bool:
        """Whether the value stands somewhere in a text: all that a broken row can be asked."""
        return re.search(self.pattern, text) is not None

    def is_meant(self, value: object) -> bool:
        """Whether a value of the column is the person's, however it is written."""
        text = str(value).strip()
        if self.column.sql_type == "INT64":
            try:
                return int(text) == int(self.value)
            except ValueError:
                return False
        return text == self.value

    def place(self, names: list[str]) -> int | None:
        """The place of the column among a file's names."""
        lower = [name.strip().lower() for name in names]
        return next(
            (lower.index(name) for name in map(str.lower, self.column.sources) if name in lower), None
        )


def without(data: bytes, file_format: str, person: Person) -> tuple[bytes, int]:
    """A file's bytes without a person's rows, and how many rows that were; packed again if it was."""
    if file_format == "parquet":
        return _without_parquet(data, person)
    packed = data.startswith(GZIP_MAGIC)
    encoding = person.contract.encoding
    text = (gzip.decompress(data) if packed else data).decode(encoding)
    header, records = "", _lines(text)
    if file_format == "csv":
        records = _records(text, person.contract.delimiter) if person.contract.multiline else records
        header = next(records, "")
    is_theirs = row_test(file_format, header, person)
    kept, removed = [header], 0
    for record in records:
        if is_theirs(record):
            removed += 1
        else:
            kept.append(record)
    written = "".join(kept).encode(encoding)
    return gzip.compress(written, mtime=0) if packed else written, removed


def row_test(file_format: str, header: str, person: Person) -> Callable[[str], bool]:
    """Whether the text of a row is the person's, by the layout of its file.

    Of a row that does not fit the layout it is, where the value stands in it by itself.
    """
    if file_format == "json":
        return lambda raw: _is_in_json(raw, person)
    delimiter = person.contract.delimiter
    names = next(csv.reader([header.removeprefix("\ufeff")], delimiter=delimiter), [])
    place = person.place(names)

    def is_in_csv(raw: str) -> bool:
        rows = list(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter))
        if place is None or len(rows) != 1 or len(rows[0]) != len(names):
            return person.is_named(raw)
        return person.is_meant(rows[0][place])

    return is_in_csv


def _is_in_json(raw: str, person: Person) -> bool:
    try:
        row = json.loads(raw)
    except ValueError:
        return person.is_named(raw)
    if not isinstance(row, dict):
        return person.is_named(raw)
    place = person.place(list(row))
    return place is not None and person.is_meant(list(row.values())[place])


def _without_parquet(data: bytes, person: Person) -> tuple[bytes, int]:
    table = pq.read_table(io.BytesIO(data))
    place = person.place(table.column_names)
    if place is None:
        return data, 0
    kept = table.filter([not person.is_meant(value) for value in table.column(place).to_pylist()])
    written = io.BytesIO()
    pq.write_table(kept, written)
    return written.getvalue(), table.num_rows - kept.num_rows


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=""))


def _records(text: str, delimiter: str) -> Iterator[str]:
    """The texts of CSV rows, whose quoted fields may hold line ends."""
    consumed: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            consumed.append(line)
            yield line

    for _ in csv.reader(lines(), delimiter=delimiter):
        yield "".join(consumed)
        consumed.clear()
