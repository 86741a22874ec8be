"""What `make query` prints of texts that a spreadsheet, Rich or a terminal would take for more than texts."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.query import print_csv, print_table
from tests.fuzzing import fuzzed

FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
RUN = [*("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"), '=HYPERLINK("http://x","y")']


def csv_of(capsys: pytest.CaptureFixture[str], rows: list[dict[str, Any]]) -> list[list[str]]:
    print_csv(rows)
    return list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))


@pytest.mark.parametrize("text", RUN)
def test_a_text_in_csv_is_no_formula(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert csv_of(capsys, [{"a": text}]) == [["a"], [f"'{text}"]]


@pytest.mark.parametrize("value", [-1, -1.5, Decimal("-2.50"), date(2017, 1, 2), True, None, "a=b", "1-2"])
def test_everything_else_in_csv_stays_as_it_is(capsys: pytest.CaptureFixture[str], value: Any) -> None:
    assert csv_of(capsys, [{"a": value, "b": 1}])[1] == ["" if value is None else str(value), "1"]


def test_the_name_of_a_column_is_no_formula_either(capsys: pytest.CaptureFixture[str]) -> None:
    assert csv_of(capsys, [{"=1+1": 1}]) == [["'=1+1"], ["1"]]


def test_hostile_texts_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    """Each comes back from the file, in its cell, and no cell is a formula."""

    @fuzzed
    @given(st.lists(st.text(max_size=20) | st.sampled_from(RUN), min_size=2))
    def holds(texts: list[str]) -> None:
        _, cells = csv_of(capsys, [dict(enumerate(texts))])
        assert not any(cell.startswith(tuple(FORMULA)) for cell in cells)
        assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]

    holds()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/x]", "[/x]"),
        ("[red]a", "[red]a"),
        (":smile:", ":smile:"),
        ("\x1b[2Ja\r", r"\x1b[2Ja\r"),
        ("\x9b", r"\x9b"),
    ],
)
def test_a_text_in_a_table_is_no_markup_and_no_command(
    capsys: pytest.CaptureFixture[str], text: str, shown: str
) -> None:
    print_table([{"a": text, "b": None}])
    assert f"│ {shown} │ NULL │" in capsys.readouterr().out


def test_hostile_texts_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    @fuzzed
    @given(st.text(max_size=20) | st.sampled_from(["[/]", "[bold", "\\[/x]", "\x1b]0;x\x07"]))
    def holds(text: str) -> None:
        print_table([{text: text}])
        assert all(letter.isprintable() for letter in capsys.readouterr().out.replace("\n", ""))

    holds()
