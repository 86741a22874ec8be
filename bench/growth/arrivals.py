"""Announcements: how many runs a thousand of them make that come at once."""

import tempfile
import time
from pathlib import Path
from typing import Any

from bench.growth.place import Place, place
from bench.growth.splits import split
from bench.growth.table import Figures
from local.airflow import AirflowApi
from local.following import ENDED, say
from local.sample import PRODUCT
from local.sources import PUBSUB
from medallion.errors import MedallionError

ROWS = 12  # a file
SECONDS = 900
QUIET = 60  # one pull brings some of the messages, and the next one, 10 s later, may start another run


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
    """All runs of the DAG, and seconds from the first landing until every row was published and no run was at
    work.
    """
    with tempfile.TemporaryDirectory() as folder, place([PUBSUB]) as there:
        files = {file.name: file for file in split(Path(folder) / "files", number * ROWS, number)}
        begin = time.monotonic()
        there.cloud.land(PRODUCT, files)
        while not _done(there, number):
            if time.monotonic() > begin + SECONDS:
                raise MedallionError(f"{number} messages: expected their rows in silver in {SECONDS} s.")
            time.sleep(1)
        seconds = time.monotonic() - begin
        return count_runs(there.api), seconds


def count_runs(api: AirflowApi) -> int:
    """How many runs the DAG has had, once none has begun, or been at work, for QUIET seconds."""
    known, since = 0, time.monotonic()
    while time.monotonic() < since + QUIET:
        runs = api.runs(PRODUCT)
        if len(runs) != known or not _all_ended(runs):
            known, since = len(runs), time.monotonic()
        time.sleep(1)
    return known


def _done(there: Place, number: int) -> bool:
    return _all_ended(there.api.runs(PRODUCT)) and there.rows()["valid"] == number * ROWS


def _all_ended(runs: list[dict[str, Any]]) -> bool:
    return all(run["state"] in ENDED for run in runs)
