"""Small files: the same rows in thousands of files and in a few."""

import tempfile
from pathlib import Path

from bench.growth.place import STEPS, Run, place
from bench.growth.splits import split
from bench.growth.table import Figures
from medallion.errors import MedallionError

ROWS, FEW = 120_000, 10


def files(many: int) -> Figures:
    """One run over `many` files, and one over FEW with the same rows, each in an empty warehouse."""
    runs = {number: measure(number) for number in (FEW, many)}
    rows = [
        (f"{number:,}", *(f"{run.steps[step]:.1f}" for step in STEPS), f"{run.seconds:.1f}")
        for number, run in runs.items()
    ]
    few, run = runs.values()
    notes = [
        f"{many:,} files take {run.seconds / few.seconds:.1f} times as long as {FEW}, "
        f"{(run.seconds - few.seconds) / (many - FEW) * 1e3:.1f} ms for each file more."
    ]
    return Figures(f"{ROWS:,} rows in small files", ("Files", *STEPS, "Seconds"), rows, notes)


def measure(number: int) -> Run:
    """The run. Raises MedallionError where a row is missing afterwards."""
    with tempfile.TemporaryDirectory() as folder, place() as there:
        run = there.run(split(Path(folder) / "files", ROWS, number))
        valid = there.rows()["valid"]
    if valid != ROWS:
        raise MedallionError(f"{number} files: expected {ROWS} valid rows, got {valid}. Next: see ops.files.")
    return run
