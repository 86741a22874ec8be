"""An Airflow home of the tests' own, and Google's clients pointed at servers of the local cloud."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import mariadb
from local.emulators import NoEmulatorError, emulator_jar, firestore_emulator, pubsub_emulator
from local.services import Service, Services, accepts_connections, answers_http, free_ports
from tests.conftest import PROJECT

ROOT = Path(__file__).parents[2]
CONNECTION = (
    f'{{"conn_type": "google_cloud_platform", "extra": {{"is_anonymous": true, "project": "{PROJECT}"}}}}'
)


class TaskInstance:
    """What a task hands on, kept in memory; `dag_runs` are the states of other DAGs' runs."""

    def __init__(self) -> None:
        self.returned: dict[str, Any] = {}
        self.pushed: dict[str, Any] = {}
        self.dag_runs: dict[str, list[str]] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str | None = None) -> Any:
        return self.pushed[key] if key else self.returned[task_ids]

    def get_dr_count(self, dag_id: str, states: list[str]) -> int:
        return sum(state in states for state in self.dag_runs.get(dag_id, ()))


def pytest_configure(config: pytest.Config) -> None:
    """Airflow reads these when it is imported."""
    home = tempfile.TemporaryDirectory(prefix="airflow-home-")
    config.add_cleanup(home.cleanup)
    os.environ["AIRFLOW_HOME"] = home.name
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["MEDALLION_ENVIRONMENT"] = "local"


@pytest.fixture(scope="session")
def dags() -> dict[str, Any]:
    """The DAGs of the real files by their ids, as Airflow collects them."""
    from airflow.models.dagbag import DagBag

    bag = DagBag(str(ROOT / "dags"), include_examples=False, safe_mode=True)
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", CONNECTION)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)


@pytest.fixture
def context() -> dict[str, Any]:
    """As much of a task's context as tasks look at."""
    return {"ti": TaskInstance(), "logical_date": None}


@pytest.fixture(scope="session")
def gcs_url(services: Services, buckets: Path) -> str:
    """URL of a local Cloud Storage."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    _start(services, "gcs", port, buckets, answers_http(f"{url}/storage/v1/b"))
    return url


@pytest.fixture(scope="session")
def dataproc_address(services: Services, buckets: Path) -> str:
    """Address of a local Dataproc."""
    (port,) = free_ports(1)
    options = ("--staging-bucket", "staging", "--driver-memory", "512m")
    _start(services, "dataproc", port, buckets, accepts_connections(port), *options)
    return f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def firestore_address(services: Services) -> str:
    """Address of Google's Firestore emulator."""
    return _emulator(services, "firestore", firestore_emulator)


@pytest.fixture(scope="session")
def pubsub_address(services: Services) -> str:
    """Address of Google's Pub/Sub emulator."""
    return _emulator(services, "pubsub", pubsub_emulator)


@pytest.fixture(scope="session")
def database_port(services: Services, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Port of a local MariaDB with the stations that it begins with."""
    if not mariadb.installed():
        pytest.skip(str(mariadb.NoDatabaseError()))
    (port,) = free_ports(1)
    service = mariadb.database(tmp_path_factory.mktemp("database"), port)
    services.start(service)
    services.wait(service)
    return port


def _start(services: Services, name: str, port: int, root: Path, ready: Any, *options: str) -> None:
    command = [sys.executable, "-m", f"local.{name}", "--root", str(root), "--port", str(port), *options]
    service = Service(name, command, {"PYTHONPATH": str(ROOT)}, ready)
    services.start(service)
    services.wait(service)


def _emulator(services: Services, name: str, make: Callable[[int], Service]) -> str:
    if emulator_jar(name) is None:
        pytest.skip(str(NoEmulatorError(name)))
    (port,) = free_ports(1)
    service = make(port)
    services.start(service)
    services.wait(service)
    return f"127.0.0.1:{port}"
