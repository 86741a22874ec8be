"""Years: the sample's year once, and so many years of the same size in one run."""

from bench.cleaning import data
from bench.cleaning.paths import DATA
from bench.growth.memory import AIRFLOW, ALL
from bench.growth.place import STEPS, Run, place
from bench.growth.table import GIB, Bar, Figures
from local.following import say
from medallion.errors import MedallionError

TITLE = "Years in one run"
MOST = 1.10  # seconds a row at the last scale, of those at the one before
MEMORY = ("Spark", "BigQuery", AIRFLOW, ALL)
Measured = dict[int, tuple[int, Run]]  # by the number of years: rows read, and the run


def scale(years: list[int]) -> Figures:
    """One run over all the files of each number of years, each in a warehouse that is empty.

    A run that fails is told of in the notes: what the emulator cannot bear, say, at the last scale.
    """
    measured: Measured = {}
    failures: dict[int, str] = {}
    for number in years:
        try:
            read, run = measured[number] = measure(number)
            say(f"{number}x: {read:,} rows in {run.seconds:.1f} s")
        except MedallionError as error:
            failures[number] = " ".join(str(error).split())
    return figures(years, measured, failures)


def figures(years: list[int], measured: Measured, failures: dict[int, str]) -> Figures:
    """The table, and what a row costs at the last scale beside the one before."""
    headings = ("Years", "Rows", *STEPS, "Seconds", "µs a row", *(f"GiB, {group}" for group in MEMORY))
    rows = [
        (
            f"{number}x",
            f"{read:,}",
            *(f"{run.steps[step]:.1f}" for step in STEPS),
            f"{run.seconds:.1f}",
            f"{run.seconds / read * 1e6:.2f}",
            *(f"{run.peaks[group] / GIB:.1f}" for group in MEMORY),
        )
        for number, (read, run) in measured.items()
    ]
    notes = [f"{number}x failed: {reason}" for number, reason in failures.items()]
    if len(years) < 2:
        return Figures(TITLE, headings, rows, notes)
    named = "a row, {}x to {}x".format(*years[-2:])
    if failures.keys() & set(years[-2:]):
        return Figures(TITLE, headings, rows, notes, [Bar(f"all, {named}", None, MOST)])
    (read, run), (more, longer) = (measured[number] for number in years[-2:])
    notes += [
        f"{step}, {named}: {longer.steps[step] / more / (run.steps[step] / read):.2f}" for step in STEPS
    ]
    bar = Bar(f"all, {named}", longer.seconds / more / (run.seconds / read), MOST)
    return Figures(TITLE, headings, rows, notes, [bar])


def measure(years: int) -> tuple[int, Run]:
    """Rows read, and the run. Raises MedallionError where the ledger does not hold what the files have."""
    files, expected = data.prepare(DATA, years)
    with place() as there:
        run = there.run(files)
        rows = there.rows()
    if {status: rows[status] for status in expected.rows} != expected.rows:
        raise MedallionError(f"{years} years: expected {expected.rows}, got {rows}. Next: see ops.files.")
    return rows["read"], run
