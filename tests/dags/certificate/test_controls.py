"""Negative controls: the certificate notices each guard that is switched off, whatever the files."""

from collections.abc import Callable

import pytest

from tests.dags.certificate.controls import GUARDS
from tests.dags.certificate.faults import Fault
from tests.dags.certificate.files import Wave, make_waves
from tests.dags.certificate.history import Arrival, play
from tests.dags.certificate.mishaps import CONFLICT
from tests.dags.certificate.place import Place


def plain(waves: list[Wave]) -> list[Arrival]:
    return [Arrival(wave) for wave in waves]


def hit_by(*fault: object, **told: object) -> Callable[[list[Wave]], list[Arrival]]:
    """The first wave, under a fault."""
    return lambda waves: [Arrival(waves[0], [Fault("control", *fault, told)])]  # type: ignore[arg-type]


def overwritten(waves: list[Wave]) -> list[Arrival]:
    """A file is overwritten before Spark reads it."""
    return [Arrival(waves[0], during={"clean": [waves[-1][-1]]})]


def torn(waves: list[Wave]) -> list[Arrival]:
    """The second publication is broken off. The next try makes up for it, but a reader sees what is there."""
    broken = Fault("control", "publish", "bigquery", "insert", "break script", {"place": 1})
    return [Arrival(waves[0]), Arrival(waves[1], [broken])]


REPEATED_ROWS = ("clean", "spark", "drive", "repeat rows")
HISTORIES = {
    "ledger": (plain, "with nothing new, a run ends"),
    "generation match": (overwritten, "0 runs failed, 1 had to"),
    "deterministic ids": (hit_by("clean", "dataproc", "CreateBatch", "kill after"), "were submitted for"),
    "audit gate": (hit_by(*REPEATED_ROWS), "rejected of"),
    "transaction": (torn, "two contents of silver"),
    "refresh": (plain, "shows what its SELECT made of no silver"),
    "retry classification": (
        hit_by("publish", "bigquery", "insert", "fail job", **CONFLICT),
        "1 runs failed, 0 had to",
    ),
}


@pytest.mark.slow
def test_rows_that_no_audit_passes_are_never_shown(place: Place) -> None:
    first, second = make_waves(1, 2)
    sound = play(place, [Arrival(first)])
    assert sound.wrong == [] and sound.tables["silver"]
    outcome = play(place, [Arrival(first), Arrival(second, [Fault("control", *REPEATED_ROWS)])])
    stopped, *more = outcome.wrong
    assert "not done after 4 runs" in stopped and "staged_rows" in stopped
    # Each of the DAG runs stages anew, for what an earlier one has staged may be gone.
    assert all(" stage " in wrong and wrong.endswith("submitted 4 times") for wrong in more), more
    assert outcome.tables == sound.tables
    assert outcome.looks > sound.looks > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_switched_off_is_noticed(place: Place, guard: str, seed: int) -> None:
    history, noticed = HISTORIES[guard]
    outcome = play(place, history(make_waves(seed, 2)), without=(guard,))
    told = outcome.wrong, [run.errors for run in outcome.runs]  # what else a run has failed of
    assert any(noticed in wrong for wrong in outcome.wrong), told
