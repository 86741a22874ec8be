"""A history: waves of files that land, runs of the DAG under faults, and what is left in the end."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.dags.certificate.faults import Fault
from tests.dags.certificate.files import CANARY_EMAIL, CANARY_PHONE, Wave
from tests.dags.certificate.place import DRIVER_OUTPUT, PRODUCT, Place, Stage
from tests.dags.certificate.reader import MISSING, Reader
from tests.dags.certificate.scheduler import FAILED, SKIPPED, DagRun, Scheduler

MOST_RUNS = 4  # of the DAG, before a wave must be done
# Without what tells of the way: run, generation, and when.
TOLD = {
    "silver": "SELECT * EXCEPT (run, source_generation) FROM {silver}.{product}",
    "superseded": "SELECT * EXCEPT (run, source_generation) FROM {silver}.{product}__superseded",
    "quarantine": "SELECT source_file, raw, reasons FROM {quarantine}.{product} WHERE resolved_by IS NULL",
    "ledger": "SELECT uri, state, rows_read, rows_rejected, rows_valid + rows_duplicate FROM {newest}",
    "duplicates": "SELECT uri, rows_duplicate FROM {newest}",
}
NEWEST = "{ops}.files WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY uri ORDER BY generation DESC) = 1"
Tables = dict[str, Counter[str]]


@dataclass(frozen=True)
class Arrival:
    """What lands before a run of the DAG, and which faults the run meets.

    `during` lands while the run is at work, just before the step that it names.
    """

    files: Wave
    faults: list[Fault] = field(default_factory=list)
    during: dict[str, Wave] = field(default_factory=dict)


@dataclass
class Outcome:
    """What a history left, and everything that was wrong with it, in words."""

    tables: Tables
    wrong: list[str]
    runs: list[DagRun]
    happened: list[Fault]
    looks: int
    gold_looks: int
    drivers: int


def play(place: Place, arrivals: list[Arrival], without: tuple[str, ...] = ()) -> Outcome:
    """Plays a history in a place of its own."""
    every = [
        file for arrival in arrivals for wave in (arrival.files, *arrival.during.values()) for file in wave
    ]
    landed = {(file.name, file.seconds * 1_000_000): file for file in every}
    logged = place.log.stat().st_size
    with place.stage(without) as stage:
        reader = Reader(stage, landed)
        wrong: list[str] = []
        with reader.looking():
            runs = [run for arrival in arrivals for run in _arrive(stage, arrival, reader, wrong)]
        tables = everything(stage)
        wrong += [f"had no effect: {fault}" for fault in stage.bigquery.in_vain]
        wrong += stage.drivers.wrong
        wrong += reader.seen_wrong
        wrong += submitted_twice(stage)
        wrong += list(personal(stage, tables, place.log.read_bytes()[logged:]))
        looks = reader.looks, reader.gold_looks
        return Outcome(tables, wrong, runs, stage.plan.happened, *looks, stage.drivers.driven)


def _arrive(stage: Stage, arrival: Arrival, reader: Reader, wrong: list[str]) -> list[DagRun]:
    """Runs the DAG until a wave is done, and once more, which must find nothing."""
    _land(stage, arrival.files)
    stage.plan.arm(arrival.faults)
    scheduler = Scheduler(
        stage.worker, PRODUCT, tuple(table.table for table in stage.product.gold), stage.request
    )
    stage.drivers.remember = not arrival.during  # what Spark reads may not be what the manifest names
    during = dict(arrival.during)

    def before(task: str) -> None:
        _land(stage, during.pop(task, []))
        reader.look()

    runs: list[DagRun] = []
    while not runs or runs[-1].state == FAILED:
        runs.append(scheduler.dag_run(f"manual__{len(runs)}", before))
        if len(runs) == MOST_RUNS:
            wrong.append(f"not done after {MOST_RUNS} runs: {runs[-1].errors}")
            return runs
    expected = 1 if arrival.during else 0  # a file that is overwritten under a run ends the run
    failed = [run for run in runs if run.state == FAILED]
    if len(failed) != expected:
        wrong.append(f"{len(failed)} runs failed, {expected} had to: {[run.errors for run in failed]}")
    # Each fault, and the overwritten file, costs a try of some task, and no more.
    tried = sum(count - 1 for run in runs for count in run.tries.values())
    if tried > len(arrival.faults):
        wrong.append(f"{tried} tries beyond the first, for {len(arrival.faults)} faults")
    wrong += [f"did not happen: {fault}" for fault in stage.plan.left()]
    again = scheduler.dag_run("manual__again", before)
    if again.state != SKIPPED:
        wrong.append(f"with nothing new, a run ends {again.state}: {again.states}")
    return [*runs, again]


def _land(stage: Stage, files: Wave) -> None:
    folder = stage.folder("bronze") / PRODUCT
    folder.mkdir(exist_ok=True)
    for file in files:
        part = folder.parent / f".{file.name}"
        part.write_bytes(file.content)
        os.utime(part, (file.seconds, file.seconds))
        part.replace(folder / file.name)


def everything(stage: Stage) -> Tables:
    """The multisets of all rows that people read, or that wait for their contract to be mended."""
    names = {**stage.environment.datasets, "product": PRODUCT}
    newest = NEWEST.format(**names)
    told = {name: select.format(**names, newest=newest) for name, select in TOLD.items()}
    told |= {f"gold.{t.table}": f"SELECT * FROM {names['gold']}.{t.table}" for t in stage.product.gold}
    return {name: _rows(stage, select) for name, select in told.items()}


def _rows(stage: Stage, select: str) -> Counter[str]:
    """The rows of a query, without what is NULL in them; none where nothing has been published yet.

    A new column that only a file's older version has is in silver if that version was read, and NULL.
    """
    try:
        found = stage.query(f"SELECT TO_JSON_STRING(t) FROM ({select}) AS t")
    except MISSING:
        return Counter()
    rows = (json.loads(row) for (row,) in found)
    return Counter(
        json.dumps({key: value for key, value in row.items() if value is not None}, sort_keys=True)
        for row in rows
    )


def submitted_twice(stage: Stage) -> list[str]:
    """Work that was submitted again, though it had not failed."""
    states: dict[str, str] = {}
    for line in _submissions(stage):
        states[line["id"]] = line["state"]
    manifests = list((stage.folder("lake") / "runs").glob("*/*/manifest.json"))
    sound = [name for name, state in states.items() if state != "FAILED"]
    wrong = [f"{sound} were submitted for {len(manifests)} manifests"] if len(sound) > len(manifests) else []
    works = Counter(
        work for job, work in stage.bigquery.submitted.items() if work and job not in stage.bigquery.failed()
    )
    return [*wrong, *(f"{work}: submitted {count} times" for work, count in works.items() if count > 1)]


def personal(stage: Stage, tables: Tables, log: bytes) -> Iterator[str]:
    """Where a personal value of the files is to be found that must not be there."""
    texts = {"a worker's log": log}
    texts |= {f"{path.parent.name}/{path.name}": path.read_bytes() for path in _driver_outputs(stage)}
    texts |= {
        name: "\n".join(rows).encode()
        for name, rows in tables.items()
        if name not in ("quarantine", "ledger")
    }
    for name, text in texts.items():
        for canary in (CANARY_EMAIL, CANARY_PHONE):
            if canary.encode() in text:
                yield f"{name} has a personal value"
    if not any(CANARY_EMAIL in row for row in tables["quarantine"]):
        yield "no rejected row has a personal value, so that none was looked for"


def _driver_outputs(stage: Stage) -> list[Path]:
    jobs = {line["id"] for line in _submissions(stage)}
    return [path for job in sorted(jobs) for path in (stage.buckets / DRIVER_OUTPUT).glob(f"*/{job}/*")]


def _submissions(stage: Stage) -> list[dict[str, Any]]:
    return list(map(json.loads, stage.record.read_text().splitlines())) if stage.record.exists() else []
