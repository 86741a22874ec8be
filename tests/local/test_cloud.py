"""A cloud that is up is found by its ports and its processes, and by both together."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cloud, mariadb
from local.run import run
from local.services import Service, ServiceError, Services
from medallion.products import load_product


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the local cloud keeps its things."""
    for name in ("BIGQUERY", "DATABASE", "DATAPROC", "GCS", "LOCK", "LOGS", "MAIL", "PORTS", "RUN", "STATE"):
        monkeypatch.setattr(cloud, name, tmp_path / name)
    monkeypatch.setattr("local.airflow.AIRFLOW", tmp_path / "AIRFLOW")
    return tmp_path


@pytest.fixture
def services(folder: Path) -> Iterator[Services]:
    services = Services(folder / "STATE", folder / "LOGS")
    yield services
    services.stop()


def sleeper() -> Service:
    return Service("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], {}, lambda: True)


def test_ports_that_a_crash_has_left_are_no_cloud_of_the_next_command(folder: Path) -> None:
    cloud.Cloud(cloud.load_environment("local"), {"airflow": 1}).save()
    services = cloud.start_over(keep=True)
    services.start(sleeper())
    try:
        assert cloud.running_cloud() is None
        cloud.start_over(keep=True)
    finally:
        services.stop()


def test_what_services_that_have_ended_left_is_stopped_too(folder: Path) -> None:
    Services(folder / "STATE", folder / "LOGS").start(Service("short", ["true"], {}, lambda: True))
    while cloud.recorded_processes(folder / "STATE"):
        time.sleep(0.05)
    cloud.start_over(keep=True)
    assert not (folder / "STATE").exists()


def test_a_cloud_that_is_up_is_not_disturbed(folder: Path, services: Services) -> None:
    services.start(sleeper())
    cloud.Cloud(cloud.load_environment("local"), {"airflow": 8080}).save()
    with pytest.raises(ServiceError, match="up already"):
        cloud.start_over(keep=True)
    found = cloud.running_cloud()
    assert found is not None
    assert found.airflow_url == "http://localhost:8080"


def test_data_stays_where_the_machine_lacks_what_a_run_needs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb, "PLACES", "")
    landed = folder / "GCS" / "bronze" / "file.csv"
    landed.parent.mkdir(parents=True)
    landed.touch()
    with pytest.raises(mariadb.NoDatabaseError):
        run(load_product("bike_stations"), {}, keep=False)
    assert landed.exists()
