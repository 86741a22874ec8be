"""What the commands print of a run's rules and drift."""

from io import StringIO

import pytest
from rich.console import Console

from local.summary import drift_lines, print_rules, print_summary

RULES = [
    {"column": "quantity", "rule": "type", "severity": "error", "rows": 2},
    {"column": "net_sales", "rule": "minimum", "severity": "warning", "rows": 1500},
]


def printed(rules: list[dict]) -> list[str]:
    console = Console(file=StringIO(), width=80)
    print_rules(console, rules)
    return console.file.getvalue().splitlines()


def test_rules_are_told_with_the_most_broken_first() -> None:
    told = [line for line in printed(RULES) if "net_sales" in line or "quantity" in line]
    assert [line.split()[-2] for line in told] == ["1,500", "2"]


def test_nothing_is_told_of_a_run_without_broken_rules() -> None:
    assert printed([]) == []


def test_drift_is_told_in_a_line_each() -> None:
    drift = {"new_columns": {"tier": 2, "week": 365}, "missing_columns": {}, "notes": ["[quantity] is text"]}
    assert drift_lines(drift) == ["New columns: tier (files: 2), week (files: 365)", "[quantity] is text"]


def test_a_run_that_read_nothing_has_no_drift() -> None:
    assert drift_lines({}) == []


def test_a_files_name_in_a_note_is_no_command_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: dict[str, dict] = {
        name: {} for name in ("figures", "rows", "gold_rows", "model", "files", "rules")
    }
    drift = {"notes": ["a\x1b[2J.csv: id: 5 of 5 rows are of another type"]}
    seconds = {"services_ready": 1, "ready_to_end": 2}
    print_summary({**nothing, "drift": drift, "published": True, "seconds": seconds})
    assert r"a\x1b[2J.csv: id: 5 of 5" in capsys.readouterr().out


@pytest.mark.parametrize(("model", "end"), [(None, "the run"), ({}, "training")])
def test_a_product_without_a_model_has_no_training_to_end(
    capsys: pytest.CaptureFixture[str], model: dict | None, end: str
) -> None:
    nothing: dict[str, dict] = {name: {} for name in ("figures", "rows", "gold_rows", "drift")}
    lists: dict[str, list] = {"files": [], "rules": []}
    seconds = {"services_ready": 1, "ready_to_end": 2}
    print_summary({**nothing, **lists, "model": model, "published": True, "seconds": seconds})
    assert f"from then to the end of {end} 2 s." in capsys.readouterr().out
