"""What fails of the growth benchmark is told of in its tables, and the others' figures stay."""

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from bench.cleaning.data import Expected
from bench.growth import place, run, scale
from bench.growth.memory import ALL, GROUPS
from bench.growth.place import STEPS, Place, Run, StoppedError, step_at
from bench.growth.scale import MEMORY, Failure, Ran, figures
from bench.growth.table import GIB, Figures
from medallion.errors import MedallionError

MIB = 2**20


def task(name: str, second: int | None, state: str) -> dict[str, Any]:
    moment = None if second is None else f"2026-01-01T00:00:{second:02}Z"
    return {"task_id": name, "start_date": moment, "end_date": moment, "state": state, "try_number": 1}


class FailingApi:
    """An Airflow whose run has failed while it published."""

    def trigger(self, dag: str) -> str:
        return "r"

    def run(self, dag: str, run: str) -> dict[str, str]:
        return {"state": "failed"}

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        ended = [task("clean", 1, "success"), task("publish", 2, "failed"), task("serve.mail", 3, "failed")]
        return [*ended, task("gold.daily", 3, "upstream_failed")]

    def cause(self, dag: str, run: str, task: str, attempt: int) -> str:
        return f"{task} lost its connection"


class NoCloud:
    """A cloud that takes files."""

    def land(self, product: str, files: dict[str, Path]) -> None:
        pass


def ran(read: int, seconds: float) -> Ran:
    run = Run("r", dict.fromkeys(STEPS, seconds / len(STEPS)))
    return Ran(read, run, dict.fromkeys(MEMORY, MIB))


def test_a_part_that_fails_is_told_and_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(error: Exception) -> Any:
        def part(sizes: Any) -> Figures:
            raise error

        return part

    parts = {
        "days": refuse(MedallionError("expected the\nsame [red] a|b")),
        "files": refuse(KeyError("end_date")),
        "late": lambda sizes: Figures("A late row", ("", "Seconds"), [("late", "5.3")]),
    }
    for name, value in {"PARTS": parts, "BENCH": tmp_path / "bench", "ROOT": tmp_path}.items():
        monkeypatch.setattr(run, name, value)
    (tmp_path / "bench").mkdir()
    assert run.main(["--only", "days", "files", "late"]) == 1
    said = capsys.readouterr()
    assert "days failed: expected the\nsame [red] a|b" in said.out
    assert "expected the same [red] a|b │ make bench-growth ONLY=days, then" in said.out
    assert "Traceback" in said.err  # of the error that nobody raises on purpose
    written = (tmp_path / "bench" / "growth.md").read_text()
    assert "| days | expected the same [red] a\\|b | make bench-growth ONLY=days, then" in written
    assert "| files | KeyError: 'end_date' | make bench-growth ONLY=files, then" in written
    assert "| late | 5.3 |" in written
    document = json.loads((tmp_path / "bench" / "growth.json").read_text())
    assert [part["complete"] for part in document["parts"]] == [False, False, True]
    assert run.main(["--only", "late"]) == 0


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    """A place with an Airflow whose runs fail, of which Dataproc is this process."""
    monkeypatch.setattr(place, "STATE", tmp_path / "services.json")
    monkeypatch.setattr("local.following.STATE", tmp_path / "none")
    place.STATE.write_text(json.dumps({"dataproc": {"pid": os.getpid()}}))
    cloud: Any = NoCloud()
    api: Any = FailingApi()
    return Place(cloud, api)


def test_a_run_that_fails_tells_its_step(failing: Place) -> None:
    with pytest.raises(StoppedError, match=r"at publish: The run of .*\n  publish: publish lost") as stopped:
        failing.run([])
    assert stopped.value.step == "publish"


def test_a_scale_whose_run_fails_tells_its_memory(monkeypatch: pytest.MonkeyPatch, failing: Place) -> None:
    monkeypatch.setattr(scale, "place", lambda: nullcontext(failing))
    monkeypatch.setattr(scale.data, "prepare", lambda folder, years: ([], Expected()))
    failure = scale.measure(1)
    assert isinstance(failure, Failure)
    assert failure.step == "publish"
    assert failure.peaks[ALL] == failure.peaks[GROUPS["dataproc"]] > MIB


def test_a_run_that_is_lost_was_at_its_last_step() -> None:
    begun = [
        task("stage.rows", 3, "running"),
        task("clean", 1, "success"),
        task("gold.daily", None, "scheduled"),
    ]
    assert step_at(begun) == "stage"
    assert step_at(begun[2:]) is None


def test_a_scale_that_fails_is_told_with_its_step_and_memory_and_leaves_the_others() -> None:
    failure = Failure("at publish: Out of memory", "publish", {"BigQuery": 11 * GIB, ALL: 12 * GIB})
    told = figures({1: ran(9, 6), 8: ran(90, 30), 32: failure})
    assert [row[:2] for row in told.rows] == [("1x", "9"), ("8x", "90"), ("32x", "")]
    last = dict(zip(told.headings, told.rows[-1], strict=True))
    assert {heading: cell for heading, cell in last.items() if cell} == {
        "Years": "32x",
        "publish": "failed",
        "GiB, BigQuery": "11.0",
        "GiB, all": "12.0",
    }
    again = 'Next: make bench-growth ONLY=scale SIZES="--years 32", then read'
    assert told.notes[0].startswith(f"32x failed; its memory is what was seen until then. {again}")
    assert told.notes[0].endswith("Cause: at publish: Out of memory")
    assert told.notes[1:] == [f"{step}, a row, 1x to 8x: 0.50" for step in (*STEPS, "all")]
    assert str(told.bars[0]) == "all, a row, 8x to 32x: not measured; at most 1.1: NOT MET"
    assert not told.met


def test_whatever_stops_a_scale_the_next_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(years: int) -> Ran | Failure:
        if years == 8:
            return Failure("at clean: refused", "clean", {ALL: GIB})
        if years == 16:
            raise MedallionError("expected other rows")
        return ran(9, 6)

    monkeypatch.setattr(scale, "measure", measure)
    told = scale.scale([8, 16, 1])
    assert [row[0] for row in told.rows] == ["8x", "16x", "1x"]
    assert [note.partition("Cause: ")[2] for note in told.notes] == [
        "at clean: refused",
        "expected other rows",
    ]
    assert told.rows[0][-1] == "1.0"
    assert not scale.scale([16]).met
    assert scale.scale([1]).met
