"""What the Makefile hands to the programs: what a person has typed, and no more."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from medallion.documents import ROOT


def make(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    alone = {"PATH": os.environ["PATH"], **environment}  # without what a make around the tests passes on
    return subprocess.run(["make", *words], cwd=ROOT, env=alone, capture_output=True, text=True, timeout=60)


def program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


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


HOSTILE = "-a b\t'$HOME\" $(touch made) `touch made`; touch made # $$ \\ é"


@pytest.fixture
def given(tmp_path: Path) -> Callable[..., list[str]]:
    """The arguments that a command's program is given, without the module's name."""
    program(tmp_path / "python", 'printf "%s\\0" "$@"')

    def run(*words: str) -> list[str]:
        done = make("--silent", "--assume-old=setup", f"BIN={tmp_path}", *words)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.rstrip("\0").split("\0")[2:]

    return run


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("run PRODUCT INPUT", ["--product={}", "--input={}"]),
        ("replay PRODUCT WHERE", ["--where={}", "--", "{}"]),
        ("backfill PRODUCT FROM TO", ["--", "{}", "{}", "{}"]),
        ("rollback MODEL ENV", ["--environment={}", "--", "{}"]),
        ("query SQL FORMAT", ["--format={}", "--", "{}"]),
        ("explain PRODUCT KEY", ["--", "{}", "{}"]),
        ("forget PRODUCT CUSTOMER COLUMN", ["--column={}", "--", "{}", "{}"]),
        ("dashboard PRODUCT ENV REPORT", ["--report={}", "--", "{}", "{}"]),
        ("deploy ENV", ["--", "{}"]),
    ],
)
def test_what_is_typed_reaches_the_program_as_it_is(
    given: Callable[..., list[str]], command: str, expected: list[str]
) -> None:
    name, *variables = command.split()
    told = given(name, *(f"{variable}={HOSTILE}" for variable in variables))
    assert told == [text.format(HOSTILE) for text in expected]
    assert not (ROOT / "made").exists()


def test_a_query_may_have_several_lines(given: Callable[..., list[str]]) -> None:
    sql = "SELECT 1 -- one\nFROM t"
    assert given("query", f"SQL={sql}") == ["--format=table", "--", sql]


def test_files_are_words_and_patterns(given: Callable[..., list[str]], tmp_path: Path) -> None:
    for name in ("a b.csv", "$(touch made).csv"):
        (tmp_path / name).touch()
    told = given("land", "PRODUCT=sales", f"FILES=day.csv {tmp_path}/a?b.csv {tmp_path}/$*.csv $(id)")
    expected = [f"{tmp_path}/a b.csv", f"{tmp_path}/$(touch made).csv"]
    assert told == ["--", "sales", "day.csv", *expected, "$(id)"]


def test_what_is_not_typed_is_not_handed_over(given: Callable[..., list[str]]) -> None:
    assert given("run") == ["--product=customer_transactions"]
    assert given("rollback", "MODEL=churn") == ["--environment=local", "--", "churn"]
    assert given("forget", "CUSTOMER=1071") == ["--", "customer_transactions", "1071"]


def test_down_stops_what_is_up_with_the_environment_that_is_there(tmp_path: Path) -> None:
    environment = tmp_path / "pipeline"
    (environment / "bin").mkdir(parents=True)
    program(environment / "bin" / "python", 'echo "$@"')
    cloud = tmp_path / "a cloud"
    cloud.mkdir()
    # No other environment is there.
    command = ("--silent", "down", f"VENV={tmp_path}", f"MEDALLION_LOCAL={cloud}")
    (environment / ".ready").touch()
    assert make(*command).stdout == "-m local.up down\n"
    (environment / ".ready").unlink()
    done = make(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Nothing was set up here, so there is nothing to stop.\n")
    (cloud / "services.json").touch()
    done = make(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"What {cloud}/services.json names is up, and the environment that stops it is not whole. "
        "Next: make setup, then make down.\n"
    )


@pytest.fixture
def remake(tmp_path: Path) -> Callable[[str], "subprocess.CompletedProcess[str]"]:
    """Makes an environment of older requirements anew, with an installer that says what it is asked for."""
    (tmp_path / "uv" / "bin").mkdir(parents=True)
    program(tmp_path / "uv" / "bin" / "uv", 'echo "$1 $2"')
    (tmp_path / "uv" / ".ready").touch()
    for name in ("pipeline", "emulators"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".ready").touch()
        os.utime(tmp_path / name / ".ready", (1, 1))

    def run(name: str) -> "subprocess.CompletedProcess[str]":
        ready = f"{tmp_path}/{name}/.ready"
        return make("--silent", f"VENV={tmp_path}", ready, MEDALLION_LOCAL=str(tmp_path))

    return run


@pytest.mark.parametrize("name", ["pipeline", "emulators"])
def test_no_environment_is_made_anew_under_the_cloud_that_is_up(
    remake: Callable[[str], "subprocess.CompletedProcess[str]"], tmp_path: Path, name: str
) -> None:
    (tmp_path / "ports.json").touch()
    done = remake(name)
    assert (done.returncode, done.stdout) == (2, "")
    told = "The local cloud is up, and the locked requirements have changed. Next: make down, then"
    assert done.stderr.startswith(told)
    (tmp_path / name / ".ready").unlink()  # of one that is not whole nothing can run
    assert "venv --quiet" in remake(name).stdout


def test_an_environment_is_made_anew_where_no_cloud_is_up(
    remake: Callable[[str], "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    done = remake("pipeline")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == ["venv --quiet", "pip install"]
    assert (tmp_path / "pipeline" / ".ready").stat().st_mtime > 1


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "localhost,127.0.0.1"),
        ({"no_proxy": ".corp,10.0.0.1"}, ".corp,10.0.0.1,localhost,127.0.0.1"),
        ({"NO_PROXY": ".corp,10.0.0.1"}, ".corp,10.0.0.1,localhost,127.0.0.1"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,localhost,127.0.0.1"),  # as curl and Python choose
    ],
)
def test_no_proxy_stands_before_the_local_cloud(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    program(tmp_path / "python", 'echo "$no_proxy $NO_PROXY"')
    done = make("--silent", "--assume-old=setup", f"BIN={tmp_path}", "status", **environment)
    assert done.stdout == f"{expected} {expected}\n"
