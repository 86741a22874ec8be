"""Days: a run for each day's file, as it is in production, and one run over all of them."""

import tempfile
from pathlib import Path
from typing import Any

from bench.growth.place import Run, place
from bench.growth.table import Figures
from local.sample import export_sample
from medallion.errors import MedallionError

Tables = dict[str, tuple[Any, ...]]
ENDS = 5  # runs at the beginning and at the end that are held against each other


def days(number: int) -> Figures:
    """The sample's first days. Raises MedallionError where the two ways leave other tables."""
    daily, tables, rows = measure(number, True)
    (once,), others, _ = measure(number, False)
    if tables != others:
        raise MedallionError(f"{number} days: expected the same tables, got {tables} and {others}.")
    seconds = [run.seconds for run in daily]
    ends = min(ENDS, max(number // 2, 1))
    first, last = sum(seconds[:ends]) / ends, sum(seconds[-ends:]) / ends
    notes = [
        f"{rows:,} rows; silver and every gold table are the same in the end.",
        f"Day by day takes {sum(seconds) / once.seconds:.1f} times as long.",
        f"A run of the last {ends} days takes {last / first:.2f} times as long as one of the first {ends}.",
    ]
    lines = [
        ("one run a day", f"{number}", f"{sum(seconds):.1f}", f"{sum(seconds) / number:.1f}"),
        ("one run", "1", f"{once.seconds:.1f}", f"{once.seconds:.1f}"),
    ]
    rate = [f"{float(line[2]) / rows * 1e3:.3f}" for line in lines]
    return Figures(
        f"{number} days",
        ("", "Runs", "Seconds", "Seconds a run", "ms a row"),
        [(*line, each) for line, each in zip(lines, rate, strict=True)],
        notes,
    )


def measure(number: int, daily: bool) -> tuple[list[Run], Tables, int]:
    """The runs, what the tables then hold, and the rows that were read."""
    with tempfile.TemporaryDirectory() as folder, place() as there:
        files = export_sample(Path(folder), number)
        runs = [there.run([file]) for file in files] if daily else [there.run(files)]
        return runs, there.fingerprints(), there.rows()["read"]
