"""Services are stopped by their ids, and one command at a time is at work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.services import Service, ServiceError, Services, ended, hold, recorded_processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(tmp_path / "services.json", tmp_path / "logs")


def test_what_was_started_is_stopped_by_a_later_command(services: Services, tmp_path: Path) -> None:
    services.start(Service("sleeper", SLEEP, {}, lambda: True))
    (process,) = recorded_processes(tmp_path / "services.json")
    Services(tmp_path / "services.json", tmp_path / "logs").stop()
    assert has_ended(process)
    assert recorded_processes(tmp_path / "services.json") == []


def test_an_id_that_another_process_has_now_is_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "services.json"
    state.write_text(f'{{"other": {{"pid": {psutil.Process().pid}, "created": 1.0}}}}')
    assert recorded_processes(state) == []
    assert ended(state) == ["other"]


@pytest.fixture
def orphan(services: Services, tmp_path: Path) -> Iterator[psutil.Process]:
    """The child of a service that was killed, of which nobody has asked yet how it ended."""
    told = tmp_path / "child"
    parent = "import pathlib, subprocess, sys; child = subprocess.Popen(sys.argv[2:]); "
    parent += "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); child.wait()"
    command = [sys.executable, "-c", parent, str(told), *SLEEP]
    service = Service("parent", command, {}, lambda: told.exists() and told.read_text() != "")
    services.start(service)
    services.wait(service)
    (killed,) = recorded_processes(tmp_path / "services.json")
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    child = psutil.Process(int(told.read_text()))
    yield child
    if child.is_running():
        child.kill()


def stopped(process: psutil.Process) -> bool:
    """Whether a process that nobody here has to wait for ends soon."""
    deadline = time.monotonic() + 10
    while not has_ended(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return has_ended(process)


def test_a_service_that_was_killed_has_ended(
    services: Services, orphan: psutil.Process, tmp_path: Path
) -> None:
    services.start(Service("sleeper", SLEEP, {}, lambda: True))
    state = tmp_path / "services.json"
    assert ended(state) == ["parent"]
    assert len(recorded_processes(state)) == 1
    services.stop()
    assert ended(state) == []


@pytest.mark.parametrize("later", [False, True], ids=["here", "by a later command"])
@pytest.mark.parametrize("gone", [False, True], ids=["asked for by nobody", "gone"])
def test_children_of_a_service_that_was_killed_are_stopped(
    services: Services, orphan: psutil.Process, tmp_path: Path, later: bool, gone: bool
) -> None:
    state = tmp_path / "services.json"
    if gone:
        os.waitpid(json.loads(state.read_text())["parent"]["pid"], 0)
    assert not has_ended(orphan)
    (Services(state, tmp_path / "logs") if later else services).stop()
    assert stopped(orphan)
    assert not state.exists()


def test_a_group_that_was_there_before_the_service_is_left_alone(
    orphan: psutil.Process, tmp_path: Path
) -> None:
    (parent,) = json.loads((tmp_path / "services.json").read_text()).values()
    os.waitpid(parent["pid"], 0)
    state = tmp_path / "before.json"  # as an earlier boot of the machine may have left it
    state.write_text(json.dumps({"parent": {**parent, "created": parent["created"] + 3600}}))
    Services(state, tmp_path / "logs").stop()
    assert not has_ended(orphan)


def test_a_group_whose_id_another_process_was_given_is_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "services.json"
    with subprocess.Popen(SLEEP, start_new_session=True) as other:
        state.write_text(json.dumps({"other": {"pid": other.pid, "created": 1.0}}))
        Services(state, tmp_path / "logs").stop()
        assert other.poll() is None
        assert not state.exists()
        other.kill()


def test_a_service_that_ends_by_itself_is_told_with_its_log(services: Services) -> None:
    broken = Service("broken", [sys.executable, "-c", "print('why'); raise SystemExit(3)"], {}, lambda: False)
    services.start(broken)
    with pytest.raises(ServiceError, match=r"broken ended with code 3(.|\n)*why"):
        services.wait(broken)


def test_a_second_command_is_refused_while_one_is_at_work(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    hold(lock)
    command = [
        sys.executable,
        "-c",
        f"from pathlib import Path; from local.services import hold; hold(Path({str(lock)!r}))",
    ]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "Another command is at work" in second.stderr


def test_a_process_that_holds_a_lock_may_start_over(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    hold(lock)
    hold(lock)
    assert [file.path for file in psutil.Process().open_files()].count(str(lock)) == 1


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("content", [None, "", '{"sleeper": {"pid": 1'])
def test_what_was_started_here_is_stopped_without_its_file(
    services: Services, tmp_path: Path, content: str | None
) -> None:
    state = tmp_path / "services.json"
    services.start(Service("sleeper", SLEEP, {}, lambda: True))
    (process,) = recorded_processes(state)
    state.unlink() if content is None else state.write_text(content)
    services.stop()
    assert has_ended(process)
    assert not state.exists()


def test_the_file_is_whole_or_as_it_was(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = psutil.Process().children()
    services.start(Service("sleeper", SLEEP, {}, lambda: True))
    before = (tmp_path / "services.json").read_text()

    def cut_short(path: Path, text: str) -> None:
        path.write_bytes(text[:9].encode())
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", cut_short)
        with pytest.raises(OSError, match="no space left"):
            services.start(Service("second", SLEEP, {}, lambda: True))
    assert (tmp_path / "services.json").read_text() == before
    services.stop()
    assert psutil.Process().children() == children


def test_a_clock_that_was_set_changes_no_process(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.start(Service("sleeper", SLEEP, {}, lambda: True))
    (process,) = recorded_processes(tmp_path / "services.json")
    booted = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted - 3600)
    assert recorded_processes(tmp_path / "services.json") == [process]
    services.stop()


IMPATIENT = """
import os, pathlib, signal, sys, time
def ask_again(*_):
    os.kill(os.getppid(), int(sys.argv[1]))
    time.sleep(0.2)
    sys.exit()
signal.signal(signal.SIGTERM, ask_again)
pathlib.Path(sys.argv[2]).touch()
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_asks_for_an_end_twice_does_not_break_it_off(
    services: Services, tmp_path: Path, number: signal.Signals
) -> None:
    def told(*_: object) -> None:
        raise AssertionError("stopping was broken off")

    ready = tmp_path / "ready"
    command = [sys.executable, "-c", IMPATIENT, str(int(number)), str(ready)]
    service = Service("impatient", command, {}, ready.exists)
    before = signal.signal(number, told)
    try:
        services.start(service)
        services.wait(service)
        services.stop()
        assert signal.getsignal(number) is told
    finally:
        signal.signal(number, before)
    assert not (tmp_path / "services.json").exists()
