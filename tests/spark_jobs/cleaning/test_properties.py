"""What holds for any table of texts, against a second reading of the contract that knows nothing of Spark."""

import re
from collections import Counter
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row

from tests.spark_jobs.conftest import HEADER, Bronze, Rows

TIME = "%Y-%m-%d %H:%M:%S"
# Texts at random would nearly all be rejected: most fields are near what the contract wants.
NUMBERS = st.integers(-1, 4).map(str) | st.sampled_from(["", "NA", "1.0", " 2 ", "9" * 30, "x"])
TIMES = st.sampled_from(
    ["2017-01-01 00:00:00", "2017-01-02 12:30:00", "2017-02-30 00:00:00", "2017-01-01", ""]
)
AMOUNTS = st.decimals(-1, 6000, places=2).map(str) | st.sampled_from(["", "1.005", "1e2", "5", "1.", "٣"])
CODES = st.from_regex("[A-Z]{1,4}", fullmatch=True) | st.sampled_from(["", "ab", "NA", 'A"B'])
NOISE = st.text(st.characters(codec="utf-8", exclude_characters="\n\x00"), max_size=20)
LINES = st.tuples(NUMBERS, TIMES, AMOUNTS, CODES).map(",".join) | NOISE
TABLES = st.lists(LINES, min_size=1, max_size=40)
AROUND_INTEGERS = "".join(map(chr, (*range(0x21), 0x7F)))  # what counts for nothing there

PROPERTY = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


def is_sound(line: str) -> bool:
    """The contract of the tests, read once more: for lines without quotes."""
    fields = [field.strip(" ") for field in line.removesuffix("\r").split(",")]
    if len(fields) != 4:
        return False
    number, time, amount, code = (None if field in ("", "NA") else field for field in fields)
    digits = (number or "").strip(AROUND_INTEGERS)
    return bool(
        re.fullmatch(r"[+-]?[0-9]{1,18}", digits)
        and int(digits) >= 1
        and time
        and _is_time(time)
        and amount
        and re.fullmatch(r"[+-]?[0-9]{1,4}(\.[0-9]{0,2})?", amount)
        and 0 <= Decimal(amount) <= 5000
        and (code is None or re.fullmatch("[A-Z]{2,3}", code))
    )


def _is_time(text: str) -> bool:
    try:
        return datetime.strptime(text, TIME).strftime(TIME) == text
    except ValueError:
        return False


def is_row(line: str) -> bool:
    return line.removesuffix("\r").strip(" ") != "" and line != HEADER


@pytest.fixture
def cleaned(rows: Rows, bronze: Bronze):
    def cleaned(lines: list[str]) -> list[Row]:
        return rows(bronze.land_rows("a.csv", *lines)).collect()

    return cleaned


@PROPERTY
@given(TABLES)
def test_every_row_ends_as_what_it_is(cleaned, lines: list[str]) -> None:
    lines = ["1,2017-01-01 00:00:00,1.00,AB", *lines]  # a file of blank lines alone is another matter
    found, expected = cleaned(lines), [line for line in lines if is_row(line)]
    statuses = Counter(row["status"] for row in found)
    assert statuses.total() == len(expected)
    rejected = Counter(row["raw"] for row in found if row["status"] == "rejected")
    plain = [line for line in expected if '"' not in line]
    assert {line for line in rejected if '"' not in line} == {
        line.removesuffix("\r") for line in plain if not is_sound(line)
    }
    assert all(bool(row["reasons"]) == (row["status"] == "rejected") for row in found)


@PROPERTY
@given(TABLES)
def test_valid_rows_satisfy_every_rule(cleaned, lines: list[str]) -> None:
    found = cleaned(["1,2017-01-01 00:00:00,1.00,AB", *lines])
    assert all(is_sound(_line(row)) for row in found if row["status"] == "valid")


@PROPERTY
@given(TABLES)
def test_cleaning_what_is_clean_changes_nothing(cleaned, lines: list[str]) -> None:
    found = cleaned(["1,2017-01-01 00:00:00,1.00,AB", *lines])
    once = [row for row in found if row["status"] == "valid"]
    twice = cleaned([_line(row) for row in once])
    assert {row["status"] for row in twice} == {"valid"}
    assert sorted(row["row_hash"] for row in twice) == sorted(row["row_hash"] for row in once)


def _line(row: Row) -> str:
    return f"{row['id']},{row['changed_at']:{TIME}},{row['amount']},{row['code'] or ''}"
