"""A benchmark of daily runs that is interrupted goes on from where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.growth import days as module
from bench.growth.days import Measured, days
from bench.growth.place import Run
from medallion.errors import MedallionError


class Warehouse:
    """Stands for the local cloud: keeps the names of files by run, and dies at a run where told to."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.dies_at = 0
        self.publishes_before = False

    @contextmanager
    def place(self, keep: bool = False) -> Iterator["Warehouse"]:
        if not keep:
            module.NOTES.unlink(missing_ok=True)
            self.runs = []
        yield self

    def run(self, files: list[Path]) -> Run:
        names = [file.name for file in files]
        is_new = names not in self.runs
        dies = len(files) == 1 and is_new and len(self.runs) + 1 == self.dies_at
        if is_new and (self.publishes_before or not dies):
            self.runs.append(names)
        if dies:
            raise KeyboardInterrupt
        return Run("run" if is_new else "", {"clean": 10.0 * len(self.runs)})

    def rows(self) -> dict[str, int]:
        return {"read": 1000}

    def fingerprints(self) -> dict[str, list[str]]:
        return {"silver": sorted({name for run in self.runs for name in run})}


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Warehouse:
    warehouse = Warehouse()
    monkeypatch.setattr(module, "NOTES", tmp_path / "days.json")
    monkeypatch.setattr(module, "place", warehouse.place)
    return warehouse


def test_what_was_measured_is_not_measured_again(warehouse: Warehouse) -> None:
    warehouse.dies_at = 3
    with pytest.raises(KeyboardInterrupt):
        days(4)
    assert len(warehouse.runs) == 2
    warehouse.dies_at = 0
    told = days(4)
    assert [len(run) for run in warehouse.runs] == [1, 1, 1, 1]
    assert told.rows == [
        ("one run a day", "4", "100.0", "25.0", "100.000"),
        ("one run", "1", "10.0", "10.0", "10.000"),
    ]
    assert not module.NOTES.exists()


def test_a_run_that_was_interrupted_when_it_was_done_has_no_figure(warehouse: Warehouse) -> None:
    warehouse.dies_at, warehouse.publishes_before = 3, True
    with pytest.raises(KeyboardInterrupt):
        days(4)
    assert len(warehouse.runs) == 3
    told = days(4)
    assert [len(run) for run in warehouse.runs] == [1, 1, 1, 1]
    assert told.rows[0] == ("one run a day", "3", "70.0", "23.3", "70.000")
    assert told.notes[-1] == "Daily runs that were interrupted, and so not measured: 1."


def test_another_number_of_days_starts_over(warehouse: Warehouse) -> None:
    warehouse.dies_at = 3
    with pytest.raises(KeyboardInterrupt):
        days(4)
    warehouse.dies_at = 0
    assert days(2).title == "2 days"
    assert len(warehouse.runs) == 2


def test_other_tables_are_an_error(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "at_once", lambda files: Measured(2, 1.0, 10, {"silver": ["other"]}))
    with pytest.raises(MedallionError, match="2 days: expected the tables of one run"):
        days(2)
