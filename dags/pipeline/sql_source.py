"""Pulls a table of a MySQL database into bronze as JSON Lines: as a whole, or what changed since."""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from airflow.exceptions import AirflowFailException
from airflow.sdk import Connection
from sqlalchemy.exc import DBAPIError

from medallion.contracts import MAX_LINE_BYTES
from medallion.sources import SqlSource
from pipeline.bronze import Bronze

AT_ONCE = 5_000  # rows in memory
# MySQL's numbers of errors that no other try mends: no access, no such database, table or column.
FINAL = (1044, 1045, 1049, 1054, 1142, 1146)
STAMP = "%Y-%m-%dT%H-%M-%S.%f"  # sorts as text, and any file system takes it
FUTURE = timedelta(days=1)


def pull_table(source: SqlSource, period: str, moment: datetime, bronze: Bronze) -> int:
    """Pulls what bronze doesn't have of a table at a run's moment; returns how many objects that made.

    A whole table is named after its period. What changed is named after the newest change and the rows of
    the overlap, so that the names in bronze say where to go on, and a row that appears late makes a new one.
    """
    if source.watermark:
        return _pull_changes(source, source.watermark, moment, bronze)
    folder = f"{source.table}/full/"
    name = f"{folder}{period}.jsonl.gz"
    if name in bronze.names(folder):
        return 0
    with _connected(source) as connection, tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "rows"
        lines = (_line(row) for row in _rows(connection, sa.table(source.table), sa.true()))
        return int(_write(path, lines, source.table) > 0 and bronze.create(name, path, "application/gzip"))


def _pull_changes(source: SqlSource, column: str, moment: datetime, bronze: Bronze) -> int:
    folder = f"{source.table}/{column}/"
    there = bronze.names(folder)
    overlap = timedelta(minutes=source.overlap_minutes)
    changed: sa.ColumnClause[Any] = sa.column(column)
    table = sa.table(source.table, changed)
    with _connected(source) as connection, tempfile.TemporaryDirectory() as scratch:
        newest = _newest(connection, table, changed, moment)
        if newest is None:
            return 0
        span = changed <= newest
        if there:
            span &= changed > _stamp(max(there).removeprefix(folder)) - overlap
        path, late = Path(scratch) / "rows", 0

        def lines() -> Iterator[bytes]:
            nonlocal late
            for row in _rows(connection, table, span):
                line = _line(row)
                if row[column] > newest - overlap:  # a sum, for a table has no order
                    late += int.from_bytes(hashlib.sha256(line).digest()[:8])
                yield line

        rows = _write(path, lines(), source.table)
        name = f"{folder}{newest.strftime(STAMP)}-{late % 2**64:016x}.jsonl.gz"
        return int(rows > 0 and name not in there and bronze.create(name, path, "application/gzip"))


def _newest(
    connection: sa.Connection, table: sa.TableClause, changed: sa.ColumnClause[Any], moment: datetime
) -> datetime | None:
    """The newest change; None in an empty table. Raises AirflowFailException where it can't be gone by."""
    unknown = sa.func.count() - sa.func.count(changed)
    newest, missing = connection.execute(sa.select(sa.func.max(changed), unknown).select_from(table)).one()
    # A run that is cleared days later sees the table as it is by then.
    latest = max(moment, datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None) + FUTURE
    expected = None
    if missing:
        expected, got = "a time in every row", f"none in {missing} rows, which would never be pulled"
    elif newest is not None and not isinstance(newest, datetime):
        expected, got = "a DATETIME or TIMESTAMP", f"{type(newest).__name__}"
    elif newest is not None and newest > latest:
        expected, got = "no time in the future", f"{newest}, after which no change would be seen"
    if expected:
        place = f"{table.name}.{changed.name}"
        raise AirflowFailException(f"{place}: expected {expected}, got {got}. Next: mend the rows.")
    return newest


def _rows(
    connection: sa.Connection, table: sa.TableClause, span: sa.ColumnElement[bool]
) -> Iterator[sa.RowMapping]:
    every: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(table).where(span)
    yield from connection.execute(every, execution_options={"yield_per": AT_ONCE}).mappings()


def _write(path: Path, lines: Iterator[bytes], table: str) -> int:
    """Writes lines, compressed; the same lines give the same file. Returns how many there were.

    Raises AirflowFailException where one is too long: else the file would be rejected as a whole, and the
    next pull go on after it.
    """
    number = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        for number, line in enumerate(lines, 1):
            if len(line) >= MAX_LINE_BYTES:
                raise _too_long(table, number, line)
            file.write(line)
    return number


def _too_long(table: str, number: int, line: bytes) -> AirflowFailException:
    row = json.loads(line)
    longest = max(row, key=lambda column: len(str(row[column])))
    return AirflowFailException(
        f"{table}: expected rows of under {MAX_LINE_BYTES:,} bytes as JSON, got {len(line):,} in row"
        f" {number:,} of the pull, the longest value in {longest}. Next: shorten it, or pull a view without"
        " that column."
    )


def _line(row: sa.RowMapping) -> bytes:
    return json.dumps(dict(row), default=_text, ensure_ascii=False).encode() + b"\n"


def _text(value: Any) -> str:
    """What JSON has no type for; times with six decimals, in UTC where the database knows a zone."""
    match value:
        case datetime():
            return value.isoformat(sep=" ", timespec="microseconds")
        case date() | Decimal() | timedelta():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"no text for a {type(value).__name__}")


def _stamp(name: str) -> datetime:
    return datetime.strptime(name.rpartition("-")[0], STAMP)


@contextmanager
def _connected(source: SqlSource) -> Iterator[sa.Connection]:
    """One transaction, which sees the table as it is at its first statement."""
    known = Connection.get(source.connection)
    if known.conn_type != "mysql":
        told = f"connection {source.connection}: expected conn_type mysql, got {known.conn_type!r}"
        raise AirflowFailException(f"{told}. Next: mend the connection.")
    where = (known.login, known.password, known.host, known.port, known.schema)
    url = sa.URL.create("mysql+pymysql", *where, query={"charset": "utf8mb4"})
    options = {"init_command": "SET time_zone = '+00:00'", **known.extra_dejson}
    engine = sa.create_engine(url, connect_args=options, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        reason = error.orig.args if error.orig else ()
        if reason and reason[0] in FINAL:
            raise AirflowFailException(f"{source.connection}: {source.table}: {reason[1]}") from error
        raise
    finally:
        engine.dispose()
