"""What the parsing benchmark says of ours beside dag-factory."""

from typing import Any

import pytest

from bench.dag_parsing.run import NAMED, report


def taken(**cpu: float) -> dict[str, dict[str, Any]]:
    names = {"ours": "ours", "factory": "dag-factory", "named": NAMED}
    told = {"errors": [], "dags": 749, "tasks": 7235}
    return {names[key]: {**told, "cpu": seconds, "wall": seconds} for key, seconds in cpu.items()}


@pytest.mark.parametrize(
    ("ours", "code", "told"), [(5.0, 0, "The bars are met."), (8.0, 1, "The bars are not met.")]
)
def test_the_verdict_tells_both_loaders_and_which_one_is_held_to_the_bar(
    capsys: pytest.CaptureFixture[str], ours: float, code: int, told: str
) -> None:
    assert report([taken(ours=ours, factory=20.0, named=12.5)]) == code
    said = capsys.readouterr().out
    assert f"dag-factory takes {20 / ours:.1f} times the CPU of ours, which has to be 3 or more;" in said
    assert f"in a loader that names the providers, as ours does, {12.5 / ours:.1f} times, held to no" in said
    assert told in said
