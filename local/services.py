"""Starts processes of the local cloud, waits until they answer, and stops them by their ids."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

import psutil
import requests

from medallion.errors import MedallionError

_held: dict[Path, IO[str]] = {}  # open files, whose locks end with the process

READY_SECONDS = 180
STOP_SECONDS = 15
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what tells a command to end


class ServiceError(MedallionError):
    """A service of the local cloud did not start, or stopped by itself."""


@dataclass(frozen=True)
class Service:
    """A process to start: `ready` answers whether it serves."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]


class Started(TypedDict):
    """What is kept of a service: its process id, and seconds from the system's boot to its start."""

    pid: int
    created: float


class Services:
    """Services that were started together. Their ids are kept in a file, so that a later command, or the
    next start after a crash, can stop exactly what was started.
    """

    def __init__(self, state: Path, logs: Path) -> None:
        self._state = state
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, Started] = {}

    def start(self, service: Service) -> None:
        """Starts a service in a session of its own, so that it and its children can be stopped as one."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{service.name}.log").open("wb") as log:
            process = subprocess.Popen(
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **service.environment},
                start_new_session=True,
            )
        self._processes[service.name] = process
        created = _since_boot(psutil.Process(process.pid))
        self._started[service.name] = {"pid": process.pid, "created": created}
        self._write_state()

    def wait(self, service: Service) -> None:
        """Waits until a started service answers; raises ServiceError when it ended or took too long."""
        deadline = time.monotonic() + READY_SECONDS
        while not service.ready():
            code = self._processes[service.name].poll()
            log = self._logs / f"{service.name}.log"
            if code is not None:
                raise ServiceError(f"{service.name} ended with code {code}. Next: read {log}.\n{_tail(log)}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{service.name} gave no answer in {READY_SECONDS} s. Next: read {log}.")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stops every service that was started, here or by an earlier process that left its state file, with
        the children of those that have ended.
        """
        with _to_the_end():
            started = [*self._started.values(), *_recorded(self._state).values()]
            groups = {one["pid"] for one in started if _has_its_group(one)}
            running = {process for process in map(_running, started) if process}
            for group in groups:
                _signal_group(group, signal.SIGTERM)
            _, alive = psutil.wait_procs(running, timeout=STOP_SECONDS)
            for group in groups:
                _signal_group(group, signal.SIGKILL)  # also children that outlived their parent
            psutil.wait_procs(alive, timeout=STOP_SECONDS)
            self._state.unlink(missing_ok=True)

    def _write_state(self) -> None:
        # Under its name only when whole, for it may be interrupted.
        partial = self._state.with_suffix(".partial")
        partial.write_text(json.dumps(self._started, indent=1))
        partial.replace(self._state)


def recorded_processes(state: Path) -> list[psutil.Process]:
    """Processes of a state file that still run; an id that the system gave to another one doesn't count."""
    return [process for process in map(_running, _recorded(state).values()) if process]


def ended(state: Path) -> list[str]:
    """The services of a state file that have ended, though nobody stopped them."""
    return [name for name, started in _recorded(state).items() if _running(started) is None]


def _recorded(state: Path) -> dict[str, Started]:
    try:
        recorded: dict[str, Started] = json.loads(state.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}  # a file that is cut short is what a machine's end has left, and nothing runs after that
    return recorded


def _running(started: Started) -> psutil.Process | None:
    """The process of a service; None where it has ended, also where nobody has asked yet how."""
    try:
        process = psutil.Process(started["pid"])
        alive = _since_boot(process) == started["created"] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


def _has_its_group(started: Started) -> bool:
    """Whether a group of a service's id is the service's: the system gives no process an id that a group has,
    so that children keep that of a parent that is gone.
    """
    pid, created = started["pid"], started["created"]
    try:
        return _since_boot(psutil.Process(pid)) == created
    except psutil.NoSuchProcess:
        return min(_members_since(pid), default=created) >= created  # after a restart it may be another's


def _members_since(group: int) -> Iterator[float]:
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == group:
                yield _since_boot(process)


def _since_boot(process: psutil.Process) -> float:
    """Seconds from the system's boot to a process's start, which stay what they are when the clock is set."""
    return round(process.create_time() - psutil.boot_time(), 2)


def hold(lock: Path) -> None:
    """Holds a lock for as long as this process lives; raises ServiceError when another process has it."""
    if lock in _held:
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    opened = lock.open("w")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        opened.close()
        raise ServiceError(f"Another command is at work on {lock.parent}. Next: wait for its end.") from None
    _held[lock] = opened


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


def answers_http(url: str) -> Callable[[], bool]:
    """Whether a URL answers with success."""

    def ready() -> bool:
        try:
            return requests.get(url, timeout=2).ok
        except requests.RequestException:
            return False

    return ready


def accepts_connections(port: int) -> Callable[[], bool]:
    """Whether a loopback port accepts connections."""

    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return ready


@contextmanager
def _to_the_end() -> Iterator[None]:
    """Lets nobody who tells the command to end once more break off what it does for that."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are another thread's matter
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
