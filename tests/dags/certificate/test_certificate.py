"""The crash certificate: a run that is hit at any of twelve points, and tried again, ends as one that wasn't.

`make certify FAULTS=600` plays as many faults as one likes; docs/reliability.md tells what each of them is.
"""

import os
import random
import time

import pytest

from tests.dags.certificate.faults import WAITING, Fault
from tests.dags.certificate.files import make_waves
from tests.dags.certificate.history import Arrival, Outcome, play
from tests.dags.certificate.mishaps import POINTS, deal, other_arrivals
from tests.dags.certificate.place import Place

WAVES = 2
FAULTS = int(os.environ.get("FAULTS", "60"))
FIRST_SEED = int(os.environ.get("FIRST_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + -(-FAULTS // (len(POINTS) + 1)))
SAMPLE = [
    Fault("reply lost", "clean", "dataproc", "CreateBatch", "lose reply"),
    Fault("triggerer killed", "clean", "dataproc", "GetBatch", "kill before", phase=WAITING),
    Fault("worker killed while it waits", "stage.rows", "bigquery", "insert", "kill during"),
    Fault("after the load, before the ledger", "audit", "bigquery", "insert", "kill before"),
    Fault("during the transaction", "publish", "bigquery", "insert", "break script", {"place": 0.9}),
    Fault(
        "after the publication, before its marker", "gold.purchase_days", "bigquery", "insert", "kill after"
    ),
]


def faultless(place: Place, seed: int, waves: int) -> Outcome:
    """What the files of a seed come to where nothing goes wrong."""
    outcome = play(place, [Arrival(wave) for wave in make_waves(seed, waves)])
    assert outcome.wrong == []
    assert all(outcome.tables[name] for name in outcome.tables), outcome.tables
    return outcome


def require_same(outcome: Outcome, reference: Outcome, but: tuple[str, ...] = ()) -> None:
    assert outcome.wrong == []
    for name, rows in reference.tables.items():
        if name not in but:
            assert outcome.tables[name] == rows, name
    assert outcome.looks > outcome.gold_looks > 0


def test_a_run_that_is_hit_at_every_step_ends_as_one_that_was_not(place: Place) -> None:
    reference = faultless(place, 0, 1)
    assert reference.drivers == 1
    outcome = play(place, [Arrival(*make_waves(0, 1), SAMPLE)])
    require_same(outcome, reference)
    assert len(outcome.happened) == len(SAMPLE)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_at_any_point_the_end_is_the_same(
    place: Place, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    chance = random.Random(seed)
    waves = make_waves(seed, WAVES)
    reference = faultless(place, seed, WAVES)
    faults = [point(chance) for point in POINTS]
    chance.shuffle(faults)
    histories = [list(map(Arrival, waves, runs)) for runs in deal(faults, WAVES)]
    way, arrivals = other_arrivals(chance, waves)
    drivers = reference.drivers
    for history in [*histories, arrivals]:
        told = [str(fault) for arrival in history for fault in arrival.faults]
        outcome = play(place, history)
        drivers += outcome.drivers
        with capsys.disabled():
            print(f"\nseed {seed}: {'; '.join(told) or f'arrivals: {way}'}", end="")
        # Rows that landed in one run are duplicates of each other, and not those of two.
        require_same(outcome, reference, but=() if told else ("duplicates",))
    with capsys.disabled():
        took = time.monotonic() - started
        print(f"\nseed {seed}: {len(faults) + 1} faults, {drivers} Spark jobs, {took:.0f} s")
