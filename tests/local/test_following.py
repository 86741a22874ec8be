"""What a command says when it is told to end, and what it leaves running then."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import InternalServerError

from local import following, land, query, up
from local.cloud import Cloud
from local.following import run_command, run_on_kept_data
from local.paths import LOGS
from local.services import Service, ServiceError, Services
from medallion.environments import load_environment
from medallion.products import load_product

SALES = load_product("sales")
CLOUD = Cloud(load_environment("local"), {"airflow": 8080})
PAGE = "http://localhost:8080/dags/sales/runs/manual__1"


class Api:
    """Airflow, which has every DAG, and starts the same run each time."""

    def __init__(self, port: int) -> None: ...

    def wait_for_dag(self, dag: str) -> None: ...

    def trigger(self, dag: str, conf: Any = None) -> str:
        return "manual__1"


def interrupt(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


@contextmanager
def own_cloud(keep: bool) -> Iterator[Cloud]:
    yield CLOUD


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Handlers that do nothing: a signal that a command doesn't heed ends no test."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows a run gets Ctrl-C."""
    monkeypatch.setattr(following, "AirflowApi", Api)
    monkeypatch.setattr(following, "follow", interrupt)


class EndlessApi:
    """An Airflow without a scheduler."""

    def run(self, dag: str, run: str) -> dict[str, str]:
        return {"state": "running"}

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        return []


def test_nobody_waits_for_a_service_that_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(tmp_path / "services.json", tmp_path)
    monkeypatch.setattr(following, "STATE", tmp_path / "services.json")
    monkeypatch.setattr(following, "LOGS", tmp_path)
    for name, seconds in (("airflow-scheduler", 1), ("dataproc", 600)):
        sleep = [sys.executable, "-c", f"import time; time.sleep({seconds})"]
        services.start(Service(name, sleep, {}, lambda: True))
    api: Any = EndlessApi()
    try:
        with pytest.raises(ServiceError) as error:
            following.follow(api, "sales", "r")
    finally:
        services.stop()
    expected = "airflow-scheduler: expected to run until stopped, got an end. "
    assert str(error.value) == f"{expected}Next: read {tmp_path / 'airflow-scheduler.log'}."


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_told_to_end_stops_on_its_way_out(number: signal.Signals) -> None:
    with pytest.raises(SystemExit, match=f"^{128 + number}$"):
        run_command(lambda: os.kill(os.getpid(), number))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InternalServerError("the engine is gone"), "InternalServerError: 500 the engine is gone"),
        (requests.ConnectionError("refused"), "ConnectionError: refused"),
        (OSError(errno.ENOSPC, "No space left on device"), "OSError: [Errno 28] No space left on device"),
    ],
)
def test_a_disk_that_is_full_and_a_service_that_is_gone_are_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    def fail() -> None:
        raise error

    assert run_command(fail) == 1
    assert capsys.readouterr().err == f"\n{told}. Next: read the logs in {LOGS}.\n"


def test_a_command_that_nohup_started_outlives_its_terminal() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert run_command(lambda: os.kill(os.getpid(), signal.SIGHUP)) == 0


def test_a_run_in_the_cloud_that_is_up_goes_on(
    interrupted: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(following, "running_cloud", lambda: CLOUD)
    assert run_command(lambda: run_on_kept_data(SALES, lambda _: {}, interrupt)) == 130
    assert capsys.readouterr().err == f"\nInterrupted; the run goes on: {PAGE}\n"


def test_a_run_in_a_cloud_of_its_own_ends(
    interrupted: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(following, "running_cloud", lambda: None)
    monkeypatch.setattr(following, "BIGQUERY", following.AIRFLOW.parent.parent)
    monkeypatch.setattr(following, "local_cloud", own_cloud)
    assert run_command(lambda: run_on_kept_data(SALES, lambda _: {}, interrupt)) == 130
    assert capsys.readouterr().err == "\nInterrupted; everything that was started is stopped.\n"


def test_files_that_have_landed_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(land, "AirflowApi", Api)
    monkeypatch.setattr(land, "running_cloud", lambda: CLOUD)
    monkeypatch.setattr(Cloud, "land", interrupt)
    assert land.main(["sales", __file__]) == 130
    told = "what has landed stays, and the next run takes it up: http://localhost:8080/dags/sales"
    assert capsys.readouterr().err == f"\nInterrupted; {told}\n"


@pytest.mark.parametrize(
    "command",
    [
        lambda: up.main(["up"]),
        lambda: up.main(["down"]),
        lambda: query.main(["SELECT 1"]),
    ],
    ids=["up", "down", "query"],
)
def test_every_command_takes_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: Callable[[], int]
) -> None:
    for name in ("up", "down"):
        monkeypatch.setattr(up, name, interrupt)
    monkeypatch.setattr(query, "query", interrupt)
    assert command() == 130
    assert "Interrupted" in capsys.readouterr().err
