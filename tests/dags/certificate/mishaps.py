"""The twelve points at which a run is hit, and what may happen at each: a seed picks one."""

import random
from collections.abc import Callable

from tests.dags.certificate.faults import WAITING, Fault
from tests.dags.certificate.files import Wave, uploaded_again
from tests.dags.certificate.history import Arrival

CLEAN = "clean"
LOADS = ("stage.rows", "stage.files")
SCRIPTS = ("stage.tables", "audit", "publish", "gold.purchase_days", "gold.purchase_shops")
IN_TRANSACTION = ("publish", "gold.purchase_days", "gold.purchase_shops")
CONFLICT = {"reason": "invalidQuery", "message": "Transaction could not serialize access to a table"}
TOO_MANY = {"reason": "rateLimitExceeded", "message": "Exceeded rate limits"}
BROKEN = {"reason": "backendError", "message": "Error encountered during execution. Retrying may solve it."}
KILLS = ("kill before", "kill during", "kill after")


def _bigquery(point: str, task: str, action: str, **told: object) -> Fault:
    return Fault(point, task, "bigquery", "insert", action, told)


def before_submit(chance: random.Random) -> Fault:
    point = "before submit"
    return chance.choice(
        [
            Fault(point, CLEAN, "dataproc", "CreateBatch", "kill before"),
            Fault(point, CLEAN, "dataproc", "CreateBatch", "refuse"),
            Fault(point, CLEAN, "dataproc", "GetBatch", "kill before"),
            Fault(point, "discover", "storage", "upload", chance.choice([*KILLS, "lose reply"])),
            Fault(point, "discover", "bigquery", "ask", "kill before"),
        ]
    )


def reply_lost(chance: random.Random) -> Fault:
    point = "reply lost"
    return chance.choice(
        [
            Fault(point, CLEAN, "dataproc", "CreateBatch", chance.choice(["lose reply", "kill after"])),
            _bigquery(point, chance.choice([*SCRIPTS, *LOADS]), "lose reply"),
        ]
    )


def worker_killed(chance: random.Random) -> Fault:
    return _bigquery("worker killed while it waits", chance.choice([*SCRIPTS, *LOADS]), "kill during")


def triggerer_killed(chance: random.Random) -> Fault:
    point = "triggerer killed"
    batch = Fault(point, CLEAN, "dataproc", "GetBatch", "kill before", phase=WAITING)
    return chance.choice([batch, _bigquery(point, chance.choice([*SCRIPTS, *LOADS]), "run long")])


def spark_task_failed(chance: random.Random) -> Fault:
    times = chance.choice([1, 2])  # Spark tries a task once more, then the job has failed
    return Fault("Spark task failed", CLEAN, "spark", "drive", "lose output", {"times": times})


def driver_killed(chance: random.Random) -> Fault:
    return Fault("driver killed while it writes", CLEAN, "spark", "drive", "kill at write")


def killed_before_metrics(chance: random.Random) -> Fault:
    file = chance.choice(["files.jsonl", "metrics.json"])
    return Fault("after the write, before the metrics", CLEAN, "spark", "drive", f"kill at {file}")


def during_load(chance: random.Random) -> Fault:
    point, task = "during the load", chance.choice(LOADS)
    refused = {"status": 503, "reason": "backendError", "message": "Try again"}
    return chance.choice(
        [
            _bigquery(point, task, "fail job", **BROKEN),
            _bigquery(point, task, "fail done job", **BROKEN),
            _bigquery(point, task, "kill during"),
            _bigquery(point, task, "refuse", **refused),
        ]
    )


def before_ledger(chance: random.Random) -> Fault:
    point = "after the load, before the ledger"
    return chance.choice(
        [
            _bigquery(point, chance.choice(LOADS), "kill after"),
            _bigquery(point, "audit", chance.choice(["kill before", "kill after"])),
            _bigquery(point, "publish", "kill before"),
        ]
    )


def in_transaction(chance: random.Random) -> Fault:
    point, task = "during the transaction", chance.choice(IN_TRANSACTION)
    refused = {"status": 429, "reason": "rateLimitExceeded", "message": "Too many requests"}
    broken = _bigquery(point, task, "break script", place=round(chance.random(), 2))
    return chance.choice(
        [
            *(broken, broken),
            *(_bigquery(point, task, "fail job", **error) for error in (CONFLICT, TOO_MANY, BROKEN)),
            _bigquery(point, task, "refuse", **refused),
        ]
    )


def before_marker(chance: random.Random) -> Fault:
    point, task = "after the publication, before its marker", chance.choice(IN_TRANSACTION)
    note = Fault(point, task, "bigquery", "note", chance.choice(["kill before", "kill after"]))
    return chance.choice([_bigquery(point, task, "kill after"), note])


POINTS: tuple[Callable[[random.Random], Fault], ...] = (
    *(before_submit, reply_lost, worker_killed, triggerer_killed),
    *(spark_task_failed, driver_killed, killed_before_metrics),
    *(during_load, before_ledger, in_transaction, before_marker),
)


def deal(faults: list[Fault], runs: int) -> list[list[list[Fault]]]:
    """Histories of so many runs, as few as it takes for no run to be hit twice at one request of a task."""
    dealt: list[list[list[Fault]]] = []
    for fault in faults:
        every = [run for history in dealt for run in history]
        free = [run for run in every if fault.when not in {other.when for other in run}]
        if not free:
            dealt.append([[] for _ in range(runs)])
            free = dealt[-1]
        min(free, key=len).append(fault)
    return dealt


def other_arrivals(chance: random.Random, waves: list[Wave]) -> tuple[str, list[Arrival]]:
    """The same files by other ways, with the same newest versions in the end; and which way it is.

    A request for a run that finds nothing, as a second event of one file makes, is part of every history.
    """
    way = chance.choice([lost_event, reordered, overwritten_in_a_run, again])
    return way.__name__, way(chance, waves)


def lost_event(chance: random.Random, waves: list[Wave]) -> list[Arrival]:
    """Nobody says that the first wave is there."""
    return [Arrival([file for wave in waves for file in wave])]


def reordered(chance: random.Random, waves: list[Wave]) -> list[Arrival]:
    """Files land in another order and grouping; of a file with two versions the newer one stays the newer."""
    newest = {file.name: file for wave in waves for file in wave}
    old = [file for wave in waves for file in wave if newest[file.name] is not file]
    files = list(newest.values())
    chance.shuffle(files)
    cut = chance.randrange(1, len(files))
    groups = [[*old, *files[:cut]], files[cut:]]
    return [Arrival(group) for group in groups]


def overwritten_in_a_run(chance: random.Random, waves: list[Wave]) -> list[Arrival]:
    """A file of the first wave is overwritten while the first run is at work on it."""
    *_, overwriting = waves[-1]
    step = chance.choice(["clean", "stage.unchanged"])
    rest = [file for file in waves[-1] if file is not overwriting]
    return [Arrival(waves[0], during={step: [overwriting]}), Arrival(rest)]


def again(chance: random.Random, waves: list[Wave]) -> list[Arrival]:
    """A file is uploaded once more as it is."""
    return [*map(Arrival, waves), Arrival([uploaded_again(chance, waves)])]
