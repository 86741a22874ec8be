"""The benchmark's input: dirt and repeats in known numbers, which the cleaning job finds to the row."""

import json
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from bench.cleaning import data
from bench.cleaning.contenders import ours
from bench.cleaning.data import UNTOUCHED_LINES, Expected, Lines, make_year, write_year

ROWS = 2_250  # of a month, so that the dirt of two months is ten rows of each of nine kinds
MONTHS: Lines = {
    month: [
        f"900,330,{month}000{at:07},1095275,1,0.50,0.10,0.00,0.00,1,2017-{month}-01 11:53:26"
        for at in range(ROWS)
    ]
    for month in ("11", "12")
}


@pytest.fixture(scope="module")
def year() -> tuple[Lines, Expected]:
    return make_year(MONTHS, 0)


def test_a_year_is_the_same_every_time(year: tuple[Lines, Expected]) -> None:
    assert make_year(MONTHS, 0) == year


def test_one_row_in_fifty_is_dirty_and_one_in_a_hundred_comes_again(year: tuple[Lines, Expected]) -> None:
    lines, expected = year
    assert expected.rows == {"valid": 4410, "rejected": 90, "duplicate": 45}
    assert sum(map(len, lines.values())) == 4545


def test_every_kind_of_dirt_is_equally_frequent(year: tuple[Lines, Expected]) -> None:
    _, expected = year
    by_rule = Counter[str]()
    for reason, rows in expected.reasons.items():
        by_rule[reason.partition(":")[2]] += rows
    assert by_rule == {"type": 30, "required": 10, "minimum": 10, "shape": 30, "encoding": 10}


def test_the_start_of_a_file_is_left_alone(year: tuple[Lines, Expected]) -> None:
    lines, _ = year
    for month, rows in MONTHS.items():
        assert lines[month][:UNTOUCHED_LINES] == rows[:UNTOUCHED_LINES]


def test_half_of_the_repeats_are_newer_and_come_a_month_later(year: tuple[Lines, Expected]) -> None:
    lines, _ = year
    newer = {month: sum("12:53:26" in line for line in rows) for month, rows in lines.items()}
    identical = sum(len(rows) - len(set(rows)) for rows in lines.values())
    assert (newer, identical) == ({"11": 0, "12": 22}, 23)


@pytest.mark.parametrize(
    ("number", "order", "year"), [(2, 310000000000, 2019), (7, 810000000000, 2024), (8, 910000000000, 2017)]
)
def test_a_later_year_has_orders_of_its_own_and_one_of_eight_years_dates(
    number: int, order: int, year: int
) -> None:
    later, _ = make_year(MONTHS, number)
    assert later["11"][0] == f"900,330,{order},1095275,1,0.50,0.10,0.00,0.00,1,{year}-11-01 11:53:26"


@pytest.mark.slow
def test_our_job_finds_exactly_what_was_put_in(spark: SparkSession, tmp_path: Path) -> None:
    expected = write_year(MONTHS, 0, tmp_path / "2017")
    files, output = [str(file) for file in sorted((tmp_path / "2017").glob("*.csv"))], tmp_path / "output"
    ours.clean(spark, files, str(output))
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["rows"] == {"read": 4545, **expected.rows}


def test_years_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    made = [write_year(MONTHS, number, tmp_path / f"{number + 1:02}") for number in range(2)]
    files, expected = data.prepare(tmp_path, 2)
    assert [file.name for file in files] == [
        f"transactions_{year}-{month}.csv" for year in ("01", "02") for month in ("11", "12")
    ]
    assert expected == made[0] + made[1]
    assert expected.rows == {"valid": 8820, "rejected": 180, "duplicate": 90}
