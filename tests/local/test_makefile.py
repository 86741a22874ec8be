"""What the Makefile hands to the programs: what a person has typed, and no more."""

import os
import subprocess

import pytest

from medallion.documents import ROOT


def make(*words: str) -> "subprocess.CompletedProcess[str]":
    alone = {"PATH": os.environ["PATH"]}  # without what a make around the tests passes on
    return subprocess.run(["make", *words], cwd=ROOT, env=alone, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", ["DRY_RUN", "KEEP", "APPLY"])
@pytest.mark.parametrize("value", ["true", "yes", "2", "1 1", "$(shell echo 1)"])
def test_a_switch_that_says_neither_yes_nor_no_is_refused(name: str, value: str) -> None:
    done = make("help", f"{name}={value}")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"*** {name}: expected 1, got {value}. Next: {name}=1, or leave it out." in done.stderr


@pytest.mark.parametrize(
    ("command", "switch", "option"),
    [
        ("run", "KEEP", "--keep"),
        ("replay", "DRY_RUN", "--dry-run"),
        ("deploy", "DRY_RUN", "--dry-run"),
        ("backfill", "APPLY", "--apply"),
    ],
)
def test_a_switch_is_on_where_it_says_so(command: str, switch: str, option: str) -> None:
    def told(*words: str) -> str:
        return make("--dry-run", "--assume-old=setup", command, *words).stdout.splitlines()[-1]

    assert option in told(f"{switch}=1")
    for off in ([], [f"{switch}="], [f"{switch}=0"]):
        assert option not in told(*off)
