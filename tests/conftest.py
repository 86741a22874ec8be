"""What tests of several parts share: one Spark session, local servers, a warehouse, a copy of conf/."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from pyspark.sql import SparkSession

from local.java import java_home, shared_classes
from local.paths import EMULATORS
from local.services import Service, Services, answers_http, free_ports
from medallion.documents import CONF

PROJECT = "tests"


def pytest_configure() -> None:
    os.environ["JAVA_HOME"] = str(java_home())  # before any test starts Spark


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    """There is one session in a process: what a job's own session asks for is added to this one."""
    logging.getLogger("py4j").setLevel(
        logging.WARNING
    )  # it has a word to say after pytest's output has closed
    return (
        SparkSession.builder.appName("tests")
        .master("local[2]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.ui.enabled", "false")
        .config(map=shared_classes())
        .getOrCreate()
    )


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Starts servers of the local cloud, and stops them after the last test."""
    folder = tmp_path_factory.mktemp("services")
    services = Services(folder / "services.json", folder)
    yield services
    services.stop()


@pytest.fixture(scope="session")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose folders are buckets."""
    folder = tmp_path_factory.mktemp("cloud") / "buckets"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def bigquery_url(services: Services, buckets: Path) -> str:
    """URL of a BigQuery emulator of the tests' own."""
    rest, grpc = free_ports(2)
    python = Path(os.environ.get("MEDALLION_EMULATORS_BIN", EMULATORS)) / "python"
    ports = ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    command = [str(python), "-m", "bqemulator", "start", "--ephemeral", "--project", PROJECT, *ports]
    url = f"http://127.0.0.1:{rest}"
    root = {"BQEMU_GCS_LOCAL_ROOT": str(buckets)}
    service = Service("bigquery", command, root, answers_http(f"{url}/healthz"))
    services.start(service)
    services.wait(service)
    return url


@pytest.fixture(scope="session")
def warehouse(bigquery_url: str) -> bigquery.Client:
    """A client of the emulator, with an empty dataset `gold`."""
    client = bigquery.Client(
        project=PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": bigquery_url}
    )
    client.create_dataset("gold")
    return client


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A copy of conf/ that a test may spoil."""
    shutil.copytree(CONF, tmp_path / "conf")
    return tmp_path / "conf"


def edit(file: Path, **changes: object) -> None:
    """Gives keys of a YAML file other values."""
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))
