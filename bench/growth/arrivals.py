"""Announcements: how many runs a thousand of them make that come at once."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.growth.place import Place, place
from bench.growth.splits import split
from bench.growth.table import Figures
from local.following import ENDED, say
from local.sample import PRODUCT
from local.sources import PUBSUB
from medallion.errors import MedallionError

ROWS = 12  # a file
SECONDS = 900


def arrivals(number: int) -> Figures:
    """One file that lands, and `number` that land while nothing runs; each is announced by a message."""
    counted = {}
    for count in (number, 1):
        counted[count] = measure(count)
        say("{:,} messages: {} runs, {:.1f} s".format(count, *counted[count]))
    rows = [(f"{count:,}", f"{runs}", f"{seconds:.1f}") for count, (runs, seconds) in counted.items()]
    notes = [f"{number:,} messages make {counted[number][0]} runs, and 1 makes {counted[1][0]}."]
    headings = ("Messages", "Runs", "Seconds until silver has all rows")
    return Figures("Files that announce themselves", headings, rows, notes)


def measure(number: int) -> tuple[int, float]:
    """Runs of the DAG, and seconds from the first landing until every row was published and all had ended."""
    with tempfile.TemporaryDirectory() as folder, place([PUBSUB]) as there:
        files = {file.name: file for file in split(Path(folder) / "files", number * ROWS, number)}
        start = datetime.now(UTC)
        there.cloud.land(PRODUCT, files)
        deadline = time.monotonic() + SECONDS
        while not _done(there, number):
            if time.monotonic() > deadline:
                raise MedallionError(f"{number} messages: expected their rows in silver in {SECONDS} s.")
            time.sleep(1)
        return len(there.api.runs(PRODUCT)), (datetime.now(UTC) - start).total_seconds()


def _done(there: Place, number: int) -> bool:
    ended = all(run["state"] in ENDED for run in there.api.runs(PRODUCT))
    return ended and there.rows()["valid"] == number * ROWS
