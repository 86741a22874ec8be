"""Tables are held against each other by a query that both BigQuery and the emulator have."""

from typing import Any

import pytest
from google.cloud import bigquery

from bench.growth.place import fingerprint

COLUMNS = "day DATE, sold_at TIMESTAMP, amount NUMERIC, ratio FLOAT64, shop STRING, n INT64, run STRING"
ONE = "DATE '2017-03-15', TIMESTAMP '2017-03-15 17:00:00.123456+00', NUMERIC '1.10', 0.1, 'ä', 1, 'x'"
TWO = ONE.replace("'ä', 1", "'b', 2")
NONE = "NULL, NULL, NULL, NULL, NULL, NULL, 'x'"
ROWS = (ONE, TWO, NONE)


def known(warehouse: bigquery.Client, rows: tuple[str, ...], columns: str = "*") -> tuple[Any, ...]:
    """What a table with these rows is known by."""
    inserted = ", ".join(f"({row})" for row in rows)
    warehouse.query(f"CREATE OR REPLACE TABLE gold.known ({COLUMNS})").result()
    warehouse.query(f"INSERT INTO gold.known VALUES {inserted}").result()
    (row,) = warehouse.query(fingerprint("gold.known", columns)).result()
    return tuple(row.values())


def test_the_same_rows_in_another_order_are_the_same(warehouse: bigquery.Client) -> None:
    number, content = known(warehouse, ROWS)
    assert (number, content) == known(warehouse, ROWS[::-1])
    assert number == 3
    assert content


def test_a_column_that_is_left_out_does_not_count(warehouse: bigquery.Client) -> None:
    others = tuple(row.replace("'x'", "'y'") for row in ROWS)
    but = "* EXCEPT (run)"
    assert known(warehouse, others, but) == known(warehouse, ROWS, but)
    assert known(warehouse, others) != known(warehouse, ROWS)


@pytest.mark.parametrize(
    "rows",
    [
        (ONE.replace("03-15'", "03-16'"), TWO, NONE),
        (ONE.replace("123456", "123457"), TWO, NONE),
        (ONE.replace("1.10", "1.11"), TWO, NONE),
        (ONE.replace("0.1,", "0.10000000000000002,"), TWO, NONE),
        (ONE.replace("'ä'", "'a'"), TWO, NONE),
        (ONE.replace("'ä'", "NULL"), TWO, NONE),
        (ONE.replace("'ä', 1", "'ä', 2"), TWO.replace("'b', 2", "'b', 1"), NONE),  # two that change places
        (ONE, TWO),
        (*ROWS, ONE),
    ],
)
def test_other_rows_are_told(warehouse: bigquery.Client, rows: tuple[str, ...]) -> None:
    assert known(warehouse, rows) != known(warehouse, ROWS)


def test_a_row_that_is_repeated_instead_of_another_is_told(warehouse: bigquery.Client) -> None:
    assert known(warehouse, (ONE, ONE, TWO)) != known(warehouse, (ONE, TWO, TWO))
