"""Days: a run for each day's file, as it is in production, and one run over all of them.

A year of them takes hours. What was measured is noted, and a benchmark that was interrupted goes on there.
"""

import json
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.growth.place import place
from bench.growth.table import Figures
from local.following import say
from local.paths import BIGQUERY
from local.sample import export_sample
from medallion.errors import MedallionError

ENDS = 5  # runs at the beginning and at the end that are held against each other
NOTES = BIGQUERY / "days.json"  # within the warehouse that they are about, so that they go when it does

Tables = dict[str, list[str]]


@dataclass
class Measured:
    """The one run over so many days: its seconds, the rows that it read and what its tables then held; and
    seconds of the daily runs so far; None for one that was interrupted once all its rows were published.
    """

    days: int
    once: float
    rows: int
    tables: Tables
    daily: list[float | None] = field(default_factory=list)


def days(number: int) -> Figures:
    """The sample's first days. Raises MedallionError where the two ways leave other tables."""
    with tempfile.TemporaryDirectory() as folder:
        files = export_sample(Path(folder), number)
        before = noted(number)
        measured = before or at_once(files)
        tables = day_by_day(files, measured, keep=before is not None)
    NOTES.unlink(missing_ok=True)
    if tables != measured.tables:
        raise MedallionError(
            f"{number} days: expected the tables of one run, {measured.tables}, got {tables}."
        )
    return figures(measured)


def at_once(files: list[Path]) -> Measured:
    """One run over all files, in a warehouse of its own."""
    with place() as there:
        seconds = there.run(files).seconds
        return Measured(len(files), seconds, there.rows()["read"], there.fingerprints())


def day_by_day(files: list[Path], measured: Measured, keep: bool) -> Tables:
    """A run for each file that has none yet, each noted at its end; returns what the tables then hold.

    A run that was interrupted is made again, but for one that had published, of which no seconds are known.
    """
    with place(keep=keep) as there:
        for file in files[len(measured.daily) :]:
            run = there.run([file])
            measured.daily.append(run.seconds if run.name else None)
            note(measured)
            say(f"{len(measured.daily)} of {len(files)} days")
        return there.fingerprints()


def noted(number: int) -> Measured | None:
    """What an interrupted benchmark of so many days has left; None where there was none."""
    if not NOTES.exists():
        return None
    measured = Measured(**json.loads(NOTES.read_text()))
    return measured if measured.days == number else None


def note(measured: Measured) -> None:
    """Keeps what was measured so far, wherever the benchmark is interrupted."""
    part = NOTES.with_suffix(".part")
    part.write_text(json.dumps(asdict(measured)))
    part.replace(NOTES)


def figures(measured: Measured) -> Figures:
    """The table: what a run a day takes beside one run, and a late run beside an early one."""
    number, seconds = measured.days, [taken for taken in measured.daily if taken is not None]
    ends = min(ENDS, max(len(seconds) // 2, 1))
    first, last = sum(seconds[:ends]) / ends, sum(seconds[-ends:]) / ends
    notes = [
        f"{measured.rows:,} rows; silver and every gold table are the same in the end.",
        f"Day by day takes {sum(seconds) / measured.once:.1f} times as long.",
        f"A run of the last {ends} days takes {last / first:.2f} times as long as one of the first {ends}.",
    ]
    if len(seconds) < number:
        notes.append(f"Daily runs that were interrupted, and so not measured: {number - len(seconds)}.")
    rows = [
        (name, f"{runs}", f"{total:.1f}", f"{total / runs:.1f}", f"{total / measured.rows * 1e3:.3f}")
        for name, runs, total in (
            ("one run a day", len(seconds), sum(seconds)),
            ("one run", 1, measured.once),
        )
    ]
    headings = ("", "Runs", "Seconds", "Seconds a run", "ms a row")
    return Figures(f"{number} days", headings, rows, notes)
