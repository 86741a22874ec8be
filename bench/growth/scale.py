"""Years: the sample's year once, and so many years of the same size in one run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.cleaning import data
from bench.cleaning.paths import DATA
from bench.growth.failures import explain, next_step
from bench.growth.memory import AIRFLOW, ALL, Peaks, watched
from bench.growth.place import STEPS, Run, StoppedError, place
from bench.growth.table import GIB, Bar, Figures
from local.following import say
from medallion.errors import MedallionError

TITLE = "Years in one run"
MOST = 1.10  # seconds a row at the last scale, of those at the one before
MEMORY = ("Spark", "BigQuery", AIRFLOW, ALL)


@dataclass(frozen=True)
class Ran:
    """A scale that ran: the rows that it read, the run, and peak memory."""

    read: int
    run: Run
    peaks: Peaks


@dataclass(frozen=True)
class Failure:
    """Why there is no run of a scale, the step that it failed at, where there was one, and peak memory."""

    reason: str
    step: str | None
    peaks: Peaks


Outcomes = dict[int, Ran | Failure]  # by the number of years


def scale(years: list[int]) -> Figures:
    """One run over all the files of each number of years, each in a warehouse that is empty.

    A run that fails is told of in the table: what the emulator cannot bear, say, at the last scale.
    """
    outcomes: Outcomes = {}
    for number in years:
        try:
            outcomes[number] = measure(number)
        except Exception as error:  # whatever it is, the other scales' figures are worth having
            outcomes[number] = Failure(explain(f"{number}x", error), None, {})
    return figures(outcomes)


def figures(outcomes: Outcomes) -> Figures:
    """The table, and what a row costs at the last scale that did run beside the one before.

    The bar is that of the last two scales: where one of them failed, it was not measured.
    """
    headings = ("Years", "Rows", *STEPS, "Seconds", "µs a row", *(f"GiB, {group}" for group in MEMORY))
    ran = {number: outcome for number, outcome in outcomes.items() if isinstance(outcome, Ran)}
    failed = {number: outcome for number, outcome in outcomes.items() if isinstance(outcome, Failure)}
    rows = [
        _row(number, ran[number]) if number in ran else _failed_row(number, failed[number])
        for number in outcomes
    ]
    notes = [
        f"{number}x failed; its memory is what was seen until then. "
        f"Next: {next_step('scale', f'--years {number}')}. Cause: {failure.reason}"
        for number, failure in failed.items()
    ]
    years, last = list(outcomes), list(ran)[-2:]
    ratios = _ratios(*(ran[number] for number in last)) if len(last) > 1 else {}
    bars = []
    if len(years) > 1:
        held = ratios.pop("all") if last == years[-2:] else None
        bars = [Bar(f"all, {_named(years)}", held, MOST)]
    notes += [f"{step}, {_named(last)}: {ratio:.2f}" for step, ratio in ratios.items()]
    return Figures(TITLE, headings, rows, notes, bars, complete=not failed)


def _row(number: int, ran: Ran) -> tuple[str, ...]:
    seconds = (f"{ran.run.steps[step]:.1f}" for step in STEPS)
    a_row = f"{ran.run.seconds / ran.read * 1e6:.2f}"
    return f"{number}x", f"{ran.read:,}", *seconds, f"{ran.run.seconds:.1f}", a_row, *_memory(ran.peaks)


def _failed_row(number: int, failure: Failure) -> tuple[str, ...]:
    steps = ("failed" if step == failure.step else "" for step in STEPS)
    return f"{number}x", "", *steps, "", "", *_memory(failure.peaks)


def _memory(peaks: Peaks) -> Iterator[str]:
    return (f"{peaks[group] / GIB:.1f}" if group in peaks else "" for group in MEMORY)


def _named(years: list[int]) -> str:
    return "a row, {}x to {}x".format(*years[-2:])


def _ratios(before: Ran, after: Ran) -> dict[str, float]:
    """What a row takes in a run, of what it takes in the one before: of each step, and of all."""
    fewer, more, run, longer = before.read, after.read, before.run, after.run
    steps = {step: longer.steps[step] / more / (run.steps[step] / fewer) for step in STEPS}
    return {**steps, "all": longer.seconds / more / (run.seconds / fewer)}


def measure(years: int) -> Ran | Failure:
    """The run of so many years, or why it has not come to its end.

    Raises MedallionError where the ledger does not hold what the files have.
    """
    files, expected = data.prepare(DATA, years)
    with place() as there:
        with watched(there.services()) as peaks:
            try:
                run = there.run(files)
            except StoppedError as error:
                return Failure(explain(f"{years}x", error), error.step, peaks)
        rows = there.rows()
    if {status: rows[status] for status in expected.rows} != expected.rows:
        raise MedallionError(f"{years} years: expected {expected.rows}, got {rows}. Next: see ops.files.")
    say(f"{years}x: {rows['read']:,} rows in {run.seconds:.1f} s")
    return Ran(rows["read"], run, peaks)
