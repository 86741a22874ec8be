"""Looks at what a contender left, with DuckDB, and says how far it is what cleaning had to leave.

A check takes a contender's output and a Case, and returns what the table says of it. Raises DisagreementError
where a contender that must agree doesn't.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench.cleaning.data import Expected
from bench.cleaning.layout import COLUMNS
from medallion.errors import MedallionError

STATUSES = "SELECT status, COUNT(*) FROM rows GROUP BY status"
REASONS = """
SELECT reason."column" || ':' || reason.rule AS name, COUNT(*)
FROM (SELECT UNNEST(reasons) AS reason FROM rows)
GROUP BY name
"""
# Of rejected rows the text and the reasons count; an invalid byte is U+FFFD to Spark and ? to DuckDB.
PRINTS = """
SELECT status, SUM(print::HUGEINT)
FROM (
  SELECT
    status,
    CASE
      WHEN status = 'rejected' THEN HASH(REPLACE(raw || reasons::VARCHAR, chr(65533), '?'))
      ELSE HASH({columns})
    END AS print
  FROM rows
)
GROUP BY status
"""
REASON = '{"column": "VARCHAR", "rule": "VARCHAR", "value": "VARCHAR"}'
HASHES = "SELECT status, [SUM(row_hash::HUGEINT), BIT_XOR(row_hash)] FROM rows GROUP BY status"


class DisagreementError(MedallionError):
    """A contender that must agree left other rows."""


@dataclass(frozen=True)
class Case:
    """What is known of the input, and the output of our job where it has cleaned that input."""

    expected: Expected
    reference: Path | None = None

    @property
    def read(self) -> int:
        return sum(self.expected.rows.values())


@dataclass(frozen=True)
class Outcome:
    """Rows by status, broken rules by <column>:<rule>, and by status a number that no other rows have."""

    rows: dict[str, int]
    reasons: dict[str, int]
    prints: dict[str, Any]


Check = Callable[[Path, Case], str]


def holds_every_row(output: Path, case: Case) -> str:
    """For the bare copy."""
    with duckdb.connect() as database:
        _require("rows", {"read": case.read}, {"read": _count(database, output / "rows")})
    return "every row, unchecked"


def is_as_expected(output: Path, case: Case) -> str:
    """For our job: the counts are those of the dirt and the repeats that were put in."""
    outcome = _outcome(output)
    _require("rows", case.expected.rows, outcome.rows)
    _require("reasons", case.expected.reasons, outcome.reasons)
    return "exactly the dirt and the repeats put in"


def keeps_duplicates(output: Path, case: Case) -> str:
    """For our job without the handling of duplicates: repeats are valid."""
    rows, outcome = case.expected.rows, _outcome(output)
    _require("rows", {"valid": rows["valid"] + rows["duplicate"], "rejected": rows["rejected"]}, outcome.rows)
    _require("reasons", case.expected.reasons, outcome.reasons)
    return "exactly the dirt put in"


def is_the_same(output: Path, case: Case) -> str:
    """For another engine with the same rules: counts, values, reasons and raw texts are those of our job."""
    said = is_as_expected(output, case)
    if case.reference is None:
        return said
    _require("values by status", _outcome(case.reference).prints, _outcome(output).prints)
    return "row by row that of clean"


def has_the_same_hashes(output: Path, case: Case) -> str:
    """For our job on another engine: row_hash, which publishing goes by, is the same too."""
    said = is_the_same(output, case)
    if case.reference is None:
        return said
    _require("row_hash by status", _hashes(case.reference), _hashes(output))
    return f"{said}, row_hash too"


def tells_difference(output: Path, case: Case) -> str:
    """For ways that leave valid/ and rejected/ apart and need not agree: how far they are from our job."""
    with duckdb.connect() as database:
        more = {
            status: _count(database, output / status) - case.expected.rows[status]
            for status in ("valid", "rejected")
        }
        said = ", ".join(f"{status} {rows:+,}" for status, rows in more.items())
        if case.reference is None:
            return said
        _open(database, case.reference)
        theirs, ours = (
            _values(_parquet(output / "valid")),
            f"{_values('rows')} WHERE status = 'valid'",
        )
        wrong = _single(database, f"SELECT COUNT(*) FROM ({theirs} EXCEPT ALL {ours})")
        missing = _single(database, f"SELECT COUNT(*) FROM ({ours} EXCEPT ALL {theirs})")
    return f"{said}; {wrong:,} valid rows that clean hasn't, {missing:,} of its missing"


def _outcome(output: Path) -> Outcome:
    with duckdb.connect() as database:
        _open(database, output)
        return Outcome(
            _pairs(database, STATUSES),
            _pairs(database, REASONS),
            _pairs(database, PRINTS.format(columns=", ".join(COLUMNS))),
        )


def _hashes(output: Path) -> dict[str, Any]:
    with duckdb.connect() as database:
        _open(database, output)
        return _pairs(database, HASHES)


def _open(database: duckdb.DuckDBPyConnection, output: Path) -> None:
    rows = _parquet(output / "rows")
    columns = {name for name, *_ in database.sql(f"DESCRIBE FROM {rows}").fetchall()}
    told = _told(rows) if "verdict__" in columns else f"FROM {rows}"
    database.execute(f"CREATE VIEW rows AS {told}")


def _told(rows: str) -> str:
    """Our job's rows as staging's view has them: what is told of a row is a JSON object, and a row with
    nothing but numbers says which row is a duplicate.
    """
    return f"""
SELECT
  *,
  CASE
    WHEN row__ IN (SELECT row__ FROM {rows} WHERE row_hash IS NULL) THEN 'duplicate'
    ELSE COALESCE(verdict__ ->> '$.status', 'valid')
  END AS status,
  FROM_JSON(verdict__ -> '$.reasons', '[{REASON}]') AS reasons,
  verdict__ ->> '$.raw' AS raw
FROM {rows}
WHERE row_hash IS NOT NULL
"""


def _values(rows: str) -> str:
    return f"SELECT HASH({', '.join(COLUMNS)}) FROM {rows}"


def _parquet(folder: Path) -> str:
    # A contender may lay rows out by status, in folders like status=valid.
    return f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"


def _count(database: duckdb.DuckDBPyConnection, folder: Path) -> int:
    return _single(database, f"SELECT COUNT(*) FROM {_parquet(folder)}")


def _single(database: duckdb.DuckDBPyConnection, query: str) -> int:
    ((number,),) = database.sql(query).fetchall()
    return int(number)


def _pairs(database: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    return dict(database.sql(query).fetchall())


def _require(what: str, expected: dict[str, Any], got: dict[str, Any]) -> None:
    differing = sorted(name for name in expected | got if expected.get(name) != got.get(name))
    if differing:
        details = (f"{name}: expected {expected.get(name)}, got {got.get(name)}" for name in differing)
        raise DisagreementError(f"{what}: {', '.join(details)}. Next: look at the rows in the output folder.")
