"""Values become literals that can't end their own quotes, and a forgotten name is an error."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from medallion.environments import load_environment
from medallion.sql import literal, render


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (3, "3"),
        (date(2017, 1, 2), "DATE '2017-01-02'"),
        ("plain", "'plain'"),
        ("it's", "'it\\'s'"),
        ("back\\slash", "'back\\\\slash'"),
        ("two\nlines", "'two\\nlines'"),
        (("a", "b"), "['a', 'b']"),
    ],
)
def test_a_value_becomes_a_literal(value: Any, expected: str) -> None:
    assert literal(value) == expected


def test_dataset_names_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT {{ x | literal }} FROM `{{ gold }}.t`")
    assert render("a.sql", load_environment("local"), tmp_path, x="y") == "SELECT 'y' FROM `gold.t`"


def test_a_name_that_nobody_gave_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT {{ forgotten }}")
    with pytest.raises(UndefinedError, match="forgotten"):
        render("a.sql", load_environment("local"), tmp_path)
