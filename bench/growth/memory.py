"""The memory of the local cloud's processes while something runs, by what they are for."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

GROUPS = {"dataproc": "Spark", "bigquery": "BigQuery"}  # by service; Dataproc's children are drivers
AIRFLOW, OTHERS, ALL = "Airflow", "others", "all"
SECONDS = 1.0  # between two looks

Peaks = dict[str, int]  # bytes, by group, and of ALL at one time


@contextmanager
def watched(services: dict[str, int]) -> Iterator[Peaks]:
    """Watches services, by name and process id, with all their children; the peaks grow meanwhile.

    A page that several processes share counts as a part of each, as Linux's PSS has it: Airflow forks.
    Where the watching fails, its error is raised in the end, unless what is watched raises one.
    """
    peaks: Peaks = {}
    done = threading.Event()

    def watch() -> None:
        while True:
            held = _held(services)
            for group, size in {**held, ALL: sum(held.values())}.items():
                peaks[group] = max(peaks.get(group, 0), size)
            if done.wait(SECONDS):
                break

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield peaks
        finally:
            done.set()
        watching.result()


def _held(services: dict[str, int]) -> dict[str, int]:
    held: dict[str, int] = {}
    for name, pid in services.items():
        group = GROUPS.get(name, AIRFLOW if name.startswith("airflow-") else OTHERS)
        held[group] = held.get(group, 0) + sum(map(_pss, _with_children(pid)))
    return held


def _with_children(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _pss(pid: int) -> int:
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile
    match = re.search(r"^Pss:\s+(\d+) kB$", told, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0
