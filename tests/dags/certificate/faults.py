"""What is to go wrong, and when: a plan that the stand-ins ask at each request, and that kills workers."""

import os
import signal
import threading
from dataclasses import dataclass, field
from typing import Any

EXECUTING, WAITING = "executing", "waiting"  # what a worker's process is at: a task, or a task's trigger
SECONDS = 180


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, once: at a request of a service while a task is at work.

    `action` is a word of the service that is asked; `told` is what goes with it.
    """

    point: str
    task: str
    service: str
    request: str
    action: str
    told: dict[str, Any] = field(default_factory=dict)
    phase: str = EXECUTING

    @property
    def when(self) -> tuple[str, str, str, str]:
        """What a request has to be for the fault to happen."""
        return self.service, self.request, self.task, self.phase

    def __str__(self) -> str:
        told = "".join(f" {key}={value}" for key, value in self.told.items())
        return f"{self.point}: {self.task}, {self.phase}, {self.service} {self.request}: {self.action}{told}"


class Plan:
    """The faults that are still to come, and the process that a task is at work in."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.happened: list[Fault] = []
        self._lock = threading.Lock()
        self._task, self._phase = "", EXECUTING
        self._pid: int | None = None
        self._begun = threading.Event()

    def arm(self, faults: list[Fault]) -> None:
        """These are to happen, each at its time."""
        with self._lock:
            self._waiting = [*self._waiting, *faults]

    def left(self) -> list[Fault]:
        """Faults whose time has not come."""
        with self._lock:
            return list(self._waiting)

    def take(self, service: str, request: str, phase: str | None = None) -> Fault | None:
        """The fault that is to happen at a request, if any; it does not come again.

        The phase is the worker's own, but for what starts by itself while the worker may have gone on.
        """
        with self._lock:
            for fault in self._waiting:
                if fault.when == (service, request, self._task, phase or self._phase):
                    self._waiting.remove(fault)
                    self.happened.append(fault)
                    return fault
        return None

    def at_work(self, task: str, phase: str) -> None:
        """A process is about to begin."""
        self._begun.clear()
        self._task, self._phase = task, phase

    def begun(self, pid: int) -> None:
        """The process has begun."""
        self._pid = pid
        self._begun.set()

    def kill(self) -> None:
        """Kills the process that is at work."""
        assert self._begun.wait(SECONDS), "no worker has begun"
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
