"""DuckDB doing what our job does: strict types, every reason with its text, the newest row of a key.

Its CSV reader puts aside the lines that it can't split, but an unclosed quote would take the lines after it
along; so quotes are read as text, and a line with an odd number of them is refused. Quoted fields, of which
the sample has none, would need more than that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from bench.cleaning.layout import COLUMNS, FIELDS, HEADER, KEY, ORDER_BY, Field
from bench.cleaning.paths import WORK

SETTINGS = {
    "threads": 2,
    "memory_limit": "8GB",
    "preserve_insertion_order": False,
    "temp_directory": str(WORK / "duckdb"),
}
INTEGER = r"[+-]?\d{1,19}"  # a cast alone would round '1.5'
MONEY = r"[+-]?\d{1,10}(\.\d{0,2})?"

ROWS = """
WITH lines AS (
  SELECT *, concat_ws(',', {sources}) AS line
  FROM read_csv(
    $files, columns = {header}, header = true, auto_detect = false, delim = ',', quote = '', escape = '',
    nullstr = '\x01', filename = 'source_file', store_rejects = true)
), texts AS (
  SELECT source_file, line, {texts}
  FROM lines
), typed AS (
  SELECT *, {values}
  FROM texts
), checked AS (
  SELECT
    *,
    timezone('America/New_York', ordered_at) AS local_time,
    CASE
      WHEN (length(line) - length(replace(line, '"', ''))) % 2 = 1 THEN [{shape}]
      WHEN {any_broken} THEN list_filter([{reasons}], lambda reason: reason IS NOT NULL)
    END AS reasons
  FROM typed
), derived AS (
  SELECT
    *,
    (retail_discount + coupon_match_discount)::DECIMAL(12, 2) AS discounts,
    (net_sales + retail_discount + coupon_match_discount)::DECIMAL(12, 2) AS gross_sales,
    local_time::DATE AS order_date,
    hour(local_time) AS order_hour
  FROM checked
), hashed AS (
  SELECT {columns}, hash({columns}) AS row_hash, source_file, reasons, if(reasons IS NULL, NULL, line) AS raw
  FROM derived
)
SELECT
  {columns}, row_hash, source_file,
  CASE
    WHEN reasons IS NOT NULL THEN 'rejected'
    WHEN row_number() OVER newest > 1 THEN 'duplicate'
    ELSE 'valid'
  END AS status,
  reasons, raw
FROM hashed
WINDOW newest AS (PARTITION BY {key}, reasons IS NULL ORDER BY {order_by} DESC, row_hash DESC)
"""
MALFORMED = """
SELECT
  file_path AS source_file,
  'rejected' AS status,
  [if(error_type = 'INVALID ENCODING', {encoding}, {shape})] AS reasons,
  line AS raw
FROM (SELECT scan_id, file_id, error_type, csv_line AS line FROM reject_errors)
JOIN reject_scans USING (scan_id, file_id)
"""


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory, for one measurement."""
    with duckdb.connect(config=SETTINGS) as connection:
        yield connection


def clean(connection: duckdb.DuckDBPyConnection, files: list[str], output: str) -> None:
    """Leaves rows/: the contract's columns, row_hash, source_file, status, reasons and raw."""
    folder = Path(output, "rows")
    folder.mkdir(parents=True)
    connection.execute(f"COPY ({rows_query()}) TO '{folder}/split.parquet'", {"files": files})
    # The lines that the reader could not split; it knows them all once it is through.
    malformed = MALFORMED.format(**{rule: _reason("", rule, "line[:200]") for rule in ("encoding", "shape")})
    connection.execute(f"COPY ({malformed}) TO '{folder}/malformed.parquet'")


def rows_query() -> str:
    """The query for the rows of $files whose lines can be split, by the rules of the contract."""
    broken = [(field.column, rule, condition) for field in FIELDS for rule, condition in _rules(field)]
    reasons = (
        f"if({condition}, {_reason(column, rule, f'text_{column}')}, NULL)"
        for column, rule, condition in broken
    )
    return ROWS.format(
        sources=", ".join(HEADER),
        header="{" + ", ".join(f"'{name}': 'VARCHAR'" for name in HEADER) + "}",
        texts=", ".join(f"{_text(field.source)} AS text_{field.column}" for field in FIELDS),
        values=", ".join(f"{_value(field)} AS {field.column}" for field in FIELDS),
        shape=_reason("", "shape", "line[:200]"),
        any_broken=" OR ".join(condition for _, _, condition in broken),
        reasons=", ".join(reasons),
        columns=", ".join(COLUMNS),
        key=", ".join(KEY),
        order_by=ORDER_BY,
    )


def _text(source: str) -> str:
    return f"if(trim({source}) IN ('', 'NA', 'NULL'), NULL, trim({source}))"


def _value(field: Field) -> str:
    text = f"text_{field.column}"
    if field.type == "TIMESTAMP":
        return f"timezone('UTC', try_strptime({text}, '%Y-%m-%d %H:%M:%S'))"
    pattern = INTEGER if field.type == "BIGINT" else MONEY
    return f"if(regexp_full_match({text}, '{pattern}'), TRY_CAST({text} AS {field.type}), NULL)"


def _rules(field: Field) -> Iterator[tuple[str, str]]:
    """The rules of a field, each with the condition under which it is broken, which may be null for no."""
    yield "required", f"text_{field.column} IS NULL"
    yield "type", f"(text_{field.column} IS NOT NULL AND {field.column} IS NULL)"
    if field.minimum is not None:
        yield "minimum", f"{field.column} < {field.minimum}"


def _reason(column: str, rule: str, value: str) -> str:
    return f"""struct_pack("column" := '{column}', rule := '{rule}', "value" := {value})"""
