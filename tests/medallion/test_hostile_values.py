"""Whatever value becomes an SQL literal: GoogleSQL's own analyzer and the emulator read it as it is."""

from datetime import date, datetime
from typing import Any

import pytest
from google.cloud import bigquery
from hypothesis import given
from hypothesis import strategies as st

from local.googlesql import analyze, register
from medallion.errors import MedallionError
from medallion.sql import literal, standing_alone
from tests.fuzzing import in_batches

BATCH = 50
PIECES = st.sampled_from(
    [
        *("'", "''", '"', "`", "\\", "\\\\", "\\'", "\\n"),
        *("\\u0041", "\\x41", "\\101", "\\0", "'''", "\n", "\r"),
        *("--", "#", "/*", "*/", ";", "' OR 1=1 --"),
        *("'); DROP TABLE silver.sales; --", "$x", "@x", "@@x", "?"),
        *("%s", "{{ x }}", "{% x %}", "\t", "\0", "\x1a"),
        *("\x7f", "\x85", "\u2028", "\ufeff", "\u2019", "\u02bc"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=5).map("".join)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "int64": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    "bool": st.booleans(),
    "date": st.dates(),
}
KIND = pytest.mark.parametrize("kind", KINDS)
EPOCH = date(1970, 1, 1)


def batches(kind: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(KINDS[kind], min_size=BATCH, max_size=BATCH)


def for_the_emulator(values: list[Any]) -> list[Any]:
    """Its engine, DuckDB, takes no statement with a zero byte."""
    return [value.replace("\0", "") if isinstance(value, str) else value for value in values]


@KIND
def test_googlesql_reads_a_hostile_value_as_it_is(kind: str) -> None:
    catalog = register({}, {})

    @in_batches(BATCH)
    @given(batches(kind))
    def holds(values: list[Any]) -> None:
        found = analyze(f"SELECT {', '.join(map(literal, values))}", catalog).query.expr_list
        read = [getattr(column.expr.value.value, f"{kind}_value") for column in found]
        assert read == [(value - EPOCH).days if kind == "date" else value for value in values]

    holds()


@KIND
def test_the_emulator_reads_a_hostile_value_as_it_is(warehouse: bigquery.Client, kind: str) -> None:
    @in_batches(BATCH)
    @given(batches(kind).map(for_the_emulator))
    def holds(values: list[Any]) -> None:
        sql = f"SELECT value FROM UNNEST({literal(values)}) AS value WITH OFFSET AS place ORDER BY place"
        assert [row["value"] for row in warehouse.query(sql, job_retry=None).result()] == values

    holds()


def test_a_hostile_text_is_found_by_its_pattern(warehouse: bigquery.Client) -> None:
    @in_batches(BATCH)
    @given(batches("string").map(for_the_emulator))
    def holds(texts: list[str]) -> None:
        pairs = ", ".join(
            f"REGEXP_CONTAINS({literal(f'({text})')}, {literal(standing_alone(text))})" for text in texts
        )
        (row,) = warehouse.query(f"SELECT [{pairs}]", job_retry=None).result()
        assert row[0] == [True] * len(texts)

    holds()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**63, -(2**63) - 1, datetime(2017, 1, 2), b"a", {}]
)
def test_what_has_no_literal_is_refused(value: Any) -> None:
    with pytest.raises(MedallionError, match=f"No SQL literal for a {type(value).__name__}"):
        literal(value)
