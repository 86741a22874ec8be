"""`make down` and `make clean` leave alone what a command that is at work has started, and its data."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import up
from local.services import Service, Services, recorded_processes

CLEAN = Path(__file__).parents[2] / "local" / "clean.sh"
DATA = [".local/gcs/bucket/file", ".local/bench/growth/gcs/file", ".local/sample-2/file"]


@contextmanager
def another_command(lock: Path) -> Iterator[None]:
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services of the cloud under .local of a folder of the test's own."""
    local = tmp_path / ".local"
    for name, file in {"LOCK": "lock", "STATE": "services.json", "PORTS": "ports.json"}.items():
        monkeypatch.setattr(up, name, local / file)
    services = Services(local / "services.json", local / "logs")
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    services.start(Service("sleeper", sleep, {}, lambda: True))
    yield services
    services.stop()


def clean(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Cleans a folder, whose `make` says what it was asked for."""
    make = folder / "bin" / "make"
    make.parent.mkdir(exist_ok=True)
    make.write_text('#!/bin/sh\necho "$MEDALLION_LOCAL" "$@"\n')
    make.chmod(0o755)
    path = f"{make.parent}:{os.environ['PATH']}"
    return subprocess.run([CLEAN], cwd=folder, env={"PATH": path}, capture_output=True, text=True)


@pytest.fixture
def data(tmp_path: Path) -> list[Path]:
    files = [tmp_path / name for name in DATA]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    (tmp_path / ".local" / "venv").mkdir()
    return files


def test_down_leaves_a_command_at_work_alone(
    cloud: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with another_command(tmp_path / ".local" / "lock"):
        assert up.main(["down"]) == 1
    assert f"Another command is at work on {tmp_path / '.local'}." in capsys.readouterr().err
    assert len(recorded_processes(tmp_path / ".local" / "services.json")) == 1


def test_down_stops_what_a_command_that_has_ended_left(cloud: Services, tmp_path: Path) -> None:
    (tmp_path / ".local" / "ports.json").touch()
    assert up.main(["down"]) == 0
    assert not {"services.json", "ports.json"} & {path.name for path in (tmp_path / ".local").iterdir()}


def test_down_has_nothing_to_do_where_nothing_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOCK", "STATE", "PORTS"):
        monkeypatch.setattr(up, name, tmp_path / "none" / name)
    assert up.main(["down"]) == 0


def test_clean_removes_data_and_leaves_the_environments(data: list[Path], tmp_path: Path) -> None:
    (tmp_path / ".local" / "lock").touch()
    (tmp_path / ".local" / "bench" / "growth" / "lock").touch()
    assert clean(tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / ".local").iterdir()) == ["lock", "venv"]


@pytest.mark.parametrize("cloud", [".local", ".local/bench/growth"])
def test_clean_leaves_the_data_of_a_command_at_work(data: list[Path], tmp_path: Path, cloud: str) -> None:
    with another_command(tmp_path / cloud / "lock"):
        done = clean(tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"Another command is at work on {cloud}. Next: wait for its end.\n"
    assert all(file.exists() for file in data)


def test_clean_stops_what_commands_have_left(data: list[Path], tmp_path: Path) -> None:
    clouds = [tmp_path / ".local", tmp_path / ".local/bench/growth"]
    for cloud in clouds:
        (cloud / "services.json").touch()
    told = clean(tmp_path).stdout.splitlines()
    assert told == [f"{cloud} --no-print-directory down" for cloud in clouds]
