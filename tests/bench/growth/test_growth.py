"""What the growth benchmark's figures mean: steps that add up, memory that was held, files that are split."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.growth import arrivals, memory
from bench.growth.memory import ALL, watched
from bench.growth.place import STEPS, Run, steps
from bench.growth.scale import MEMORY, Ran, figures
from bench.growth.splits import split

MIB = 2**20
HOLDER = "import sys; held = b'x' * 64 * 2**20; print('ready', flush=True); sys.stdin.read()"


def task(name: str, start: int | None, end: int) -> dict[str, str | None]:
    moments = [None if second is None else f"2026-01-01T00:00:{second:02}Z" for second in (start, end)]
    return dict(zip(("task_id", "start_date", "end_date"), (name, *moments), strict=True))


def test_steps_last_from_the_end_of_the_one_before() -> None:
    tasks = [
        task("discover", 1, 2),
        task("clean", 4, 10),
        task("stage.rows", 11, 15),
        task("stage.files", 11, 13),
        task("audit", 16, 17),
        task("publish", 18, 20),
        task("gold.a", 21, 30),
        task("gold.b", 21, 25),
        task("serve.report", 31, 50),
    ]
    expected = {"discover": 1.0, "clean": 8.0, "stage": 5.0, "audit": 2.0, "publish": 3.0, "gold": 10.0}
    assert steps(tasks) == expected


def test_memory_is_that_of_a_service_and_its_children() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDER!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        with watched({"bigquery": holder.pid, "gone": 2**22 + 1}) as peaks:
            pass
        holder.stdin.close()
    assert 64 * MIB < peaks["BigQuery"] < 64 * MIB + psutil.Process().memory_info().rss
    assert peaks[ALL] == peaks["BigQuery"]


def test_what_stops_the_watching_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise PermissionError(f"/proc/{pid}/smaps_rollup")

    monkeypatch.setattr(memory, "_pss", refuse)
    with pytest.raises(PermissionError, match="smaps_rollup"), watched({"bigquery": 1}):
        pass
    with pytest.raises(KeyError, match="of the run"), watched({"bigquery": 1}):
        raise KeyError("of the run")


def test_files_have_all_rows_between_them(tmp_path: Path) -> None:
    files = split(tmp_path / "files", 25, 4)
    lines = [path.read_text().splitlines() for path in files]
    assert [len(of_file) for of_file in lines] == [8, 8, 8, 5]
    assert len({line for of_file in lines for line in of_file}) == 25 + 1  # one header


def test_more_than_a_tenth_more_for_a_row_is_told() -> None:
    def ran(read: int, seconds: float) -> Ran:
        run = Run("r", dict.fromkeys(STEPS, seconds / len(STEPS)))
        return Ran(read, run, dict.fromkeys(MEMORY, MIB))

    (bar,) = figures({8: ran(800, 80), 32: ran(3200, 353)}).bars
    assert not bar.met
    assert str(bar) == "all, a row, 8x to 32x: 1.103; at most 1.1: NOT MET"
    (bar,) = figures({1: ran(9, 1), 8: ran(800, 80), 32: ran(3200, 351)}).bars
    assert bar.met


class Clock:
    """Time that passes only where somebody sleeps, and a DAG whose runs begin at some seconds and last 20."""

    def __init__(self, begin: list[int]) -> None:
        self.now, self.begin = 0, begin

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: int) -> None:
        self.now += seconds

    def runs(self, dag: str) -> list[dict[str, str]]:
        begun = [second for second in self.begin if second <= self.now]
        return [{"state": "success" if second + 20 <= self.now else "running"} for second in begun]


@pytest.mark.parametrize(("begin", "runs", "ended"), [([0], 1, 80), ([0, 30, 100], 3, 180)])
def test_runs_are_counted_when_none_follows(
    monkeypatch: pytest.MonkeyPatch, begin: list[int], runs: int, ended: int
) -> None:
    clock: Any = Clock(begin)
    monkeypatch.setattr(arrivals, "time", clock)
    assert arrivals.count_runs(clock) == runs
    assert clock.now == pytest.approx(ended, abs=2)
