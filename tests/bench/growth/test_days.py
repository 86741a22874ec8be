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

    @contextmanager
    def place(self, keep: bool = False) -> Iterator["Warehouse"]:
        if not keep:
            module.NOTES.unlink(missing_ok=True)
            self.runs = []
        yield self

    def run(self, files: list[Path]) -> Run:
        if len(files) == 1 and len(self.runs) + 1 == self.dies_at:
            raise KeyboardInterrupt
        self.runs.append([file.name for file in files])
        return Run("", {"clean": 10.0 * len(self.runs)}, {})

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
