"""Years: the sample's year once, and so many years of the same size in one run."""

from bench.cleaning import data
from bench.cleaning.paths import DATA
from bench.growth.memory import AIRFLOW, ALL
from bench.growth.place import STEPS, Run, place
from bench.growth.table import GIB, Bar, Figures
from local.following import say
from medallion.errors import MedallionError

MOST = 1.10  # seconds a row at the last scale, of those at the one before
MEMORY = ("Spark", "BigQuery", AIRFLOW, ALL)
Measured = dict[int, tuple[int, Run]]  # by the number of years: rows read, and the run


def scale(years: list[int]) -> Figures:
    """One run over all the files of each number of years, each in a warehouse that is empty."""
    measured: Measured = {}
    for number in years:
        measured[number] = measure(number)
        read, run = measured[number]
        say(f"{number}x: {read:,} rows in {run.seconds:.1f} s")
    return figures(measured)


def figures(measured: Measured) -> Figures:
    """The table, and what a row costs at the last scale beside the one before."""
    headings = ("Years", "Rows", *STEPS, "Seconds", "µs a row", *(f"GiB, {group}" for group in MEMORY))
    rows = [
        (
            f"{number}x",
            f"{read:,}",
            *(f"{run.steps[step]:.1f}" for step in STEPS),
            f"{run.seconds:.1f}",
            f"{_each(read, run) * 1e6:.2f}",
            *(f"{run.peaks[group] / GIB:.1f}" for group in MEMORY),
        )
        for number, (read, run) in measured.items()
    ]
    if len(measured) < 2:
        return Figures("Years in one run", headings, rows)
    (before, (read, run)), (last, (more, longer)) = list(measured.items())[-2:]
    notes = [
        f"{step}, a row, {before}x to {last}x: {longer.steps[step] / more / (run.steps[step] / read):.2f}"
        for step in STEPS
    ]
    bar = Bar(f"all, a row, {before}x to {last}x", _each(more, longer) / _each(read, run), MOST)
    return Figures("Years in one run", headings, rows, notes, [bar])


def measure(years: int) -> tuple[int, Run]:
    """Rows read, and the run. Raises MedallionError where the ledger does not hold what the files have."""
    files, expected = data.prepare(DATA, years)
    with place() as there:
        run = there.run(files)
        rows = there.rows()
    if {status: rows[status] for status in expected.rows} != expected.rows:
        raise MedallionError(f"{years} years: expected {expected.rows}, got {rows}. Next: see ops.files.")
    return rows["read"], run


def _each(rows: int, run: Run) -> float:
    return run.seconds / rows
