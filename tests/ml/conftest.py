"""A Spark session, a small extract with a model trained on it, and a BigQuery emulator."""

import datetime
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from pyspark.sql import SparkSession

from ml import train
from ml.examples import spark_session
from ml.features import FEATURES, LABEL

REPOSITORY = Path(__file__).resolve().parents[2]
EMULATORS = Path(os.environ.get("MEDALLION_EMULATORS_BIN", REPOSITORY / ".local/venv/emulators/bin"))

SNAPSHOTS = {
    "train": datetime.date(2017, 6, 1),
    "validation": datetime.date(2017, 8, 1),
    "test": datetime.date(2017, 9, 1),
    "score": datetime.date(2017, 10, 1),
}


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    return spark_session("tests")


@pytest.fixture(scope="session")
def config() -> str:
    """A model file's content, for a fit of a second."""
    training = {
        "seed": 7,
        "hidden_units": [8],
        "dropout": 0.1,
        "epochs": 3,
        "patience": 2,
        "batch_size": 16,
        "learning_rate": 0.01,
    }
    return json.dumps({"training": training})


@pytest.fixture(scope="session")
def extract() -> pd.DataFrame:
    """400 customers a split; who was away for longer is likelier to stay away."""
    random = np.random.default_rng(11)
    return pd.concat([_split(random, split) for split in SNAPSHOTS], ignore_index=True)


@pytest.fixture(scope="session")
def examples(extract: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of the extract as Parquet."""
    folder = tmp_path_factory.mktemp("examples")
    extract.to_parquet(folder / "part-0.parquet", index=False)
    return str(folder)


@pytest.fixture(scope="session")
def version(examples: str, config: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of a version trained on the extract."""
    uri = str(tmp_path_factory.mktemp("models") / "v1")
    train.main(["--examples", examples, "--output", uri, "--model-config", config, "--version", "v1"])
    return uri


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    """A client of an emulator of its own, with an empty dataset `gold`."""
    rest, grpc = _free_port(), _free_port()
    log = tmp_path_factory.mktemp("bigquery") / "log"
    ports = ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [EMULATORS / "python", "-m", "bqemulator", "start", "--ephemeral", "--project", "tests", *ports],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(process, f"http://127.0.0.1:{rest}/healthz", log)
        yield _client(f"http://127.0.0.1:{rest}")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _split(random: np.random.Generator, split: str, rows: int = 400) -> pd.DataFrame:
    values = {name: random.integers(1, 90, rows).astype(float) for name in FEATURES}
    frame = pd.DataFrame(values).assign(
        customer_id=np.arange(rows), snapshot_date=SNAPSHOTS[split], split=split
    )
    frame[LABEL] = (
        None if split == "score" else (random.random(rows) < (frame["recency_days"] / 90) ** 3).astype(float)
    )
    return frame.astype({LABEL: "Float64"})


def _client(endpoint: str) -> bigquery.Client:
    client = bigquery.Client(
        project="tests", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint}
    )
    client.create_dataset("gold")
    return client


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, f"The BigQuery emulator ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < deadline, f"The BigQuery emulator is not healthy: {log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
