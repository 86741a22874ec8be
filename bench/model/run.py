"""`make bench-model`: the model on five test snapshots of the sample year, beside other predictions."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from rich.console import Console
from rich.table import Table

from bench.model.data import MODEL, load_customer_daily, take_snapshot
from local.java import java_home
from local.paths import EMULATORS
from local.services import Service, Services, answers_http, free_ports
from medallion.documents import ROOT
from ml import baselines, metrics
from ml.bootstrap import interval, resample
from ml.examples import inputs, labels
from ml.features import BASELINE, FEATURES
from ml.metrics import Floats
from ml.model import Split, predict, train
from ml.train import training_spec
from ml.versions import MODEL as MODEL_FILE
from ml.versions import model_bytes

# Newest business dates of five runs; their test snapshots, 30 days before, are 2017-08-03 to 2017-12-01.
RUNS = (date(2017, 9, 2), date(2017, 10, 2), date(2017, 11, 1), date(2017, 12, 1), date(2017, 12, 31))
LIGHTGBM = ROOT / ".local/venv/bench/bin/python"
PROJECT = "bench"
SCORED_ROWS = 500_000


@dataclass(frozen=True)
class Bar:
    """A figure and what it has to reach: at least, or at most."""

    name: str
    value: float
    bar: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, warehouse(Path(folder)) as client:
        load_customer_daily(client, Path(folder))
        takes = [take_snapshot(client, Path(folder), last, f"run-{last:%Y%m%d}") for last in RUNS]
        bars = measure(takes, Path(folder))
    table = Table("Figure", "Measured", "Bar", "Met")
    for bar in bars:
        sign = "≥" if bar.at_least else "≤"
        table.add_row(bar.name, f"{bar.value:,.4f}", f"{sign} {bar.bar:,g}", "yes" if bar.met else "NO")
    Console().print(table)
    return 0 if all(bar.met for bar in bars) else 1


@contextmanager
def warehouse(folder: Path) -> Iterator[bigquery.Client]:
    """A BigQuery emulator whose buckets are the folders of a folder."""
    rest, grpc = free_ports(2)
    command = [str(EMULATORS / "python"), "-m", "bqemulator", "start", "--ephemeral", "--project", PROJECT]
    ports = ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    url = f"http://127.0.0.1:{rest}"
    healthy = answers_http(f"{url}/healthz")
    service = Service("bigquery", [*command, *ports], {"BQEMU_GCS_LOCAL_ROOT": str(folder)}, healthy)
    services = Services(folder / "services.json", folder)
    try:
        services.start(service)
        services.wait(service)
        yield bigquery.Client(PROJECT, AnonymousCredentials(), client_options={"api_endpoint": url})
    finally:
        services.stop()


def measure(takes: list[Path], folder: Path) -> list[Bar]:
    """Every bar, on the pooled test snapshots where it is about quality."""
    fitted = [_fit(take) for take in takes]
    tests = [_split(take, "test") for take in takes]
    pooled = pd.concat(tests, ignore_index=True)
    said = {
        "model": np.concatenate([fit.said for fit in fitted]),
        "weeks": -pooled[BASELINE].to_numpy(np.float64),
        "rfm": np.concatenate(
            [baselines.rfm_logistic(_split(take, "train"), _split(take, "test")) for take in takes]
        ),
        "lightgbm": np.concatenate([_lightgbm(take, folder / f"{take.name}.npy") for take in takes]),
    }
    return [*_quality(pooled, said), *_costs(fitted[-1], takes[-1], folder)]


@dataclass(frozen=True)
class Fit:
    """A run's model, what it says of its test snapshot, and the seconds of its fit."""

    model: object
    said: Floats
    seconds: float


def _fit(take: Path) -> Fit:
    splits = [
        Split(inputs(rows), labels(rows)) for rows in (_split(take, "train"), _split(take, "validation"))
    ]
    began = time.monotonic()
    model, _ = train(training_spec(MODEL.document["training"]), FEATURES, *splits)
    seconds = time.monotonic() - began
    return Fit(model, predict(model, inputs(_split(take, "test"))), seconds)


def _quality(pooled: pd.DataFrame, said: dict[str, Floats]) -> list[Bar]:
    truth = labels(pooled)
    counts = resample(pooled["customer_id"].to_numpy())
    model = metrics.measure(truth, said["model"], counts)
    others = {name: metrics.auc(truth, scores, counts) for name, scores in said.items() if name != "model"}
    for name, draws in {**model, **{f"auc of {name}": auc for name, auc in others.items()}}.items():
        low, high = interval(draws[1:])
        Console().print(f"{name}: {draws[0]:.4f} ({low:.4f} to {high:.4f})")
    auc = float(model["auc"][0])
    return [
        Bar("AUC", auc, 0.85, True),
        Bar("AUC above the weeks rule", auc - float(others["weeks"][0]), 0.005, True),
        Bar("skill", float(model["skill"][0]), 0.26, True),
        Bar("calibration error", float(model["ece"][0]), 0.015, False),
        Bar("AUC of LightGBM above", float(others["lightgbm"][0]) - auc, 0.01, False),
    ]


def _costs(fit: Fit, take: Path, folder: Path) -> list[Bar]:
    again = _fit(take)
    rows = inputs(pd.read_parquet(take).sample(SCORED_ROWS, replace=True, random_state=1))
    predict(again.model, rows[:1])  # the graph is made on the first call
    began = time.monotonic()
    predict(again.model, rows)
    speed = SCORED_ROWS / (time.monotonic() - began)
    data = model_bytes(fit.model)
    seconds, version = _task(take, folder)
    others = (model_bytes(again.model), (version / MODEL_FILE).read_bytes())  # of another process
    return [
        Bar("seconds of a fit", max(fit.seconds, again.seconds), 60, False),
        Bar("seconds of the training task", seconds, 120, False),
        Bar("kB of the model file", len(data) / 1000, 100, False),
        Bar("rows scored a second", speed, 300_000, True),
        Bar("same seed, same bytes", float(all(data == other for other in others)), 1, True),
    ]


def _task(take: Path, folder: Path) -> tuple[float, Path]:
    """Seconds of ml/train.py as a process, Spark's start included, and the folder of the version it made."""
    origin = {
        "score_date": "",
        "train_dates": [],
        "fingerprint": "",
        "partitions": 0,
        "release": "",
        "settings": "",
    }
    (take / "_plan.json").write_text(json.dumps(origin))
    version = folder / "version"
    options = ["--examples", str(take), "--output", str(version), "--version", "bench"]
    config = ["--model-config", json.dumps(MODEL.document)]
    environment = {**os.environ, "JAVA_HOME": str(java_home())}
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "ml.train", *options, *config], cwd=ROOT, env=environment, check=True
    )
    return time.monotonic() - began, version


def _lightgbm(take: Path, output: Path) -> Floats:
    command = [str(LIGHTGBM), "-m", "bench.model.lightgbm_fit", str(take), str(output)]
    subprocess.run(command, cwd=ROOT, check=True)
    said: Floats = np.load(output)
    return said


def _split(take: Path, name: str) -> pd.DataFrame:
    rows = pd.read_parquet(take, filters=[("split", "==", name)])
    return rows.sort_values(["snapshot_date", "customer_id"], ignore_index=True)


if __name__ == "__main__":
    sys.exit(main())
