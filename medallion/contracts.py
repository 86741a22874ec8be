"""A data contract as the typed object that cleaning, loading and publishing share."""

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ERROR, WARNING = "error", "warning"
HASH, DROP = "hash", "drop"
EVOLVE, IGNORE, FAIL = "evolve", "ignore", "fail"
MAX_NEW_COLUMNS = 1_000  # of a header, a JSON line, and silver: BigQuery's tables have 10,000 at most
MAX_LINE_BYTES = 1024 * 1024  # Spark skips longer lines, lest one take all memory; their file is rejected
MAX_RECORD_LINES = 1000  # of a CSV file: what a quoted field that is never closed may swallow
# Names that staging, silver and quarantine give to columns of their own.
RESERVED = (
    *("extra", "key_hash", "row_hash", "source_file", "source_generation"),
    *("status", "reasons", "raw", "run"),
)


@dataclass(frozen=True)
class Constraint:
    """What a value must be: `name` is the contract's word for it (minimum, pattern, validValues, …)."""

    name: str
    value: Any
    severity: str = ERROR


@dataclass(frozen=True)
class Column:
    """One column of the dataset.

    `sql_type` is BigQuery's type; `precision` and `scale` are those of a NUMERIC. A column with an
    `expression` (Spark SQL over the other columns) is derived; every other one is read from the first of
    `sources` that a file holds. `ambiguous_time` says which of two instants a local time means when clocks go
    back. A personal column has a `protection`: hash or drop.
    """

    name: str
    sql_type: str
    description: str
    required: bool
    sources: tuple[str, ...]
    expression: str | None
    precision: int
    scale: int
    constraints: tuple[Constraint, ...]
    format: str | None
    timezone: str
    trim: bool
    true_tokens: tuple[str, ...]
    false_tokens: tuple[str, ...]
    ambiguous_time: str
    protection: str | None

    @property
    def physical_type(self) -> str:
        """BigQuery's type with its parameters."""
        return f"NUMERIC({self.precision}, {self.scale})" if self.sql_type == "NUMERIC" else self.sql_type

    def source_in(self, names: Collection[str]) -> str | None:
        """The first of its source names among those of a file, which are in small letters."""
        return next((name for name in map(str.lower, self.sources) if name in names), None)


@dataclass(frozen=True)
class RowRule:
    """A condition (Spark SQL over the columns) that rows must meet; a null condition counts as met."""

    name: str
    condition: str
    severity: str


@dataclass(frozen=True)
class Reference:
    """A column whose values must be found in the key of another dataset."""

    column: str
    dataset: str
    key: str
    severity: str


@dataclass(frozen=True)
class Contract:
    """What rows of a dataset must be.

    `key` names the columns that identify a row; of two rows with one key the newer by `order_by` stays.
    A row whose `delete_flag`, a BOOL column, is true says that the row of its key is no more.
    `new_columns` says what becomes of columns that the contract doesn't know: evolve, ignore or fail.
    Where `records` is given, files are JSON documents, and it says where in them the rows are.
    `fingerprint` changes whenever anything in the contract does.
    """

    name: str
    version: str
    description: str
    columns: tuple[Column, ...]
    rules: tuple[RowRule, ...]
    references: tuple[Reference, ...]
    key: tuple[str, ...]
    order_by: str
    delete_flag: str | None
    null_tokens: tuple[str, ...]
    delimiter: str
    encoding: str
    multiline: bool
    new_columns: str
    records: str | None
    fingerprint: str

    @cached_property
    def read_columns(self) -> tuple[Column, ...]:
        """Columns that a file brings."""
        return tuple(column for column in self.columns if column.expression is None)

    @cached_property
    def derived_columns(self) -> tuple[Column, ...]:
        """Columns computed from those that a file brings."""
        return tuple(column for column in self.columns if column.expression is not None)

    @cached_property
    def stored_columns(self) -> tuple[Column, ...]:
        """Columns that silver shows; a hashed one is there as its hash."""
        return tuple(column for column in self.columns if column.protection != DROP)

    @cached_property
    def identity(self) -> str:
        """What the key's hashes are made of: with another one, no row would be found again."""
        named = {column.name: column for column in self.columns}
        parts = ([name, named[name].physical_type, named[name].protection] for name in self.key)
        return ", ".join(" ".join(filter(None, part)) for part in parts)

    @cached_property
    def taken_names(self) -> tuple[str, ...]:
        """Names that no new column may have, in small letters: BigQuery takes names that differ in nothing
        else for one.
        """
        return (*(column.name.lower() for column in self.columns), *RESERVED)

    def header_names(self, header: str) -> tuple[str, ...]:
        """The names in a CSV file's header line; a column without one is named by its place."""
        row = next(csv.reader(io.StringIO(header), delimiter=self.delimiter), [])
        return tuple(name.strip().lower() or f"column_{place}" for place, name in enumerate(row, 1))

    @property
    def evolves(self) -> bool:
        """Whether silver takes columns that the contract doesn't know."""
        return self.new_columns == EVOLVE
