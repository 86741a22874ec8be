"""Years: the sample's year once, and so many years of the same size in one run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.cleaning import data
from bench.cleaning.paths import DATA
from bench.growth.failures import explain, next_step
from bench.growth.memory import AIRFLOW, ALL, Peaks
from bench.growth.place import STEPS, Run, StoppedError, place
from bench.growth.table import GIB, Bar, Figures
from local.following import say
from medallion.errors import MedallionError

TITLE = "Years in one run"
MOST = 1.10  # seconds a row at the last scale, of those at the one before
MEMORY = ("Spark", "BigQuery", AIRFLOW, ALL)
Measured = dict[int, tuple[int, Run]]  # by the number of years: rows read, and the run


@dataclass(frozen=True)
class Failure:
    """Why there is no run of a scale, the step that it failed at, where there was one, and peak memory."""

    reason: str
    step: str | None
    peaks: Peaks


def scale(years: list[int]) -> Figures:
    """One run over all the files of each number of years, each in a warehouse that is empty.

    A run that fails is told of in the table: what the emulator cannot bear, say, at the last scale.
    """
    measured: Measured = {}
    failures: dict[int, Failure] = {}
    for number in years:
        try:
            read, run = measured[number] = measure(number)
            say(f"{number}x: {read:,} rows in {run.seconds:.1f} s")
        except Exception as error:  # whatever it is, the other scales' figures are worth having
            step, peaks = (error.step, error.peaks) if isinstance(error, StoppedError) else (None, {})
            failures[number] = Failure(explain(f"{number}x", error), step, peaks)
    return figures(years, measured, failures)


def figures(years: list[int], measured: Measured, failures: dict[int, Failure]) -> Figures:
    """The table, and what a row costs at the last scale that did run beside the one before.

    The bar is that of the last two scales: where one of them failed, it was not measured.
    """
    headings = ("Years", "Rows", *STEPS, "Seconds", "µs a row", *(f"GiB, {group}" for group in MEMORY))
    rows = [
        _row(number, *measured[number]) if number in measured else _failed_row(number, failures[number])
        for number in years
    ]
    notes = [
        f"{number}x failed; its memory is what was seen until then. "
        f"Next: {next_step('scale', f'--years {number}')}. Cause: {failure.reason}"
        for number, failure in failures.items()
    ]
    ran = [number for number in years if number in measured]
    ratios = _ratios(*(measured[number] for number in ran[-2:])) if len(ran) > 1 else {}
    bars = []
    if len(years) > 1:
        held = ratios.pop("all") if ran[-2:] == years[-2:] else None
        bars = [Bar(f"all, {_named(years)}", held, MOST)]
    notes += [f"{step}, {_named(ran)}: {ratio:.2f}" for step, ratio in ratios.items()]
    return Figures(TITLE, headings, rows, notes, bars, complete=not failures)


def _row(number: int, read: int, run: Run) -> tuple[str, ...]:
    seconds = (f"{run.steps[step]:.1f}" for step in STEPS)
    a_row = f"{run.seconds / read * 1e6:.2f}"
    return f"{number}x", f"{read:,}", *seconds, f"{run.seconds:.1f}", a_row, *_memory(run.peaks)


def _failed_row(number: int, failure: Failure) -> tuple[str, ...]:
    steps = ("failed" if step == failure.step else "" for step in STEPS)
    return f"{number}x", "", *steps, "", "", *_memory(failure.peaks)


def _memory(peaks: Peaks) -> Iterator[str]:
    return (f"{peaks[group] / GIB:.1f}" if group in peaks else "" for group in MEMORY)


def _named(years: list[int]) -> str:
    return "a row, {}x to {}x".format(*years[-2:])


def _ratios(before: tuple[int, Run], after: tuple[int, Run]) -> dict[str, float]:
    """What a row takes in a run, of what it takes in the one before: of each step, and of all."""
    (read, run), (more, longer) = before, after
    steps = {step: longer.steps[step] / more / (run.steps[step] / read) for step in STEPS}
    return {**steps, "all": longer.seconds / more / (run.seconds / read)}


def measure(years: int) -> tuple[int, Run]:
    """Rows read, and the run. Raises MedallionError where the ledger does not hold what the files have."""
    files, expected = data.prepare(DATA, years)
    with place() as there:
        run = there.run(files)
        rows = there.rows()
    if {status: rows[status] for status in expected.rows} != expected.rows:
        raise MedallionError(f"{years} years: expected {expected.rows}, got {rows}. Next: see ops.files.")
    return rows["read"], run
