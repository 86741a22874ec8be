"""A small extract, and a model that is trained on it."""

import datetime
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from google.cloud import bigquery
from pyspark.sql import SparkSession

from bench.model.data import load_customer_daily, take_snapshot
from ml import train
from ml.features import FEATURES, LABEL
from tests.ml.year import Year

SNAPSHOTS = {
    "train": datetime.date(2017, 6, 1),
    "validation": datetime.date(2017, 8, 1),
    "test": datetime.date(2017, 9, 1),
    "score": datetime.date(2017, 10, 1),
}


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
    write_examples(folder, extract)
    return str(folder)


@pytest.fixture(scope="session")
def version(spark: SparkSession, examples: str, config: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of a version trained on the extract."""
    uri = str(tmp_path_factory.mktemp("models") / "v1")
    train.main(["--examples", examples, "--output", uri, "--model-config", config, "--version", "v1"])
    return uri


@pytest.fixture(scope="session")
def year(warehouse: bigquery.Client, buckets: Path) -> Year:
    """The sample year in a warehouse, and versions trained on it."""
    customer_daily = load_customer_daily(warehouse, buckets)

    def take(last: datetime.date) -> Path:
        return take_snapshot(warehouse, buckets, last, f"run-{last:%Y%m%d}")

    return Year(take, customer_daily)


def write_examples(folder: Path, rows: pd.DataFrame) -> None:
    """Rows as an extract, with what the snapshot step notes of it."""
    folder.mkdir(exist_ok=True)
    rows.to_parquet(folder / "part-0.parquet", index=False)
    origin = {
        **{f"{split}_date": f"{day}" for split, day in SNAPSHOTS.items() if split != "train"},
        "train_dates": [f"{SNAPSHOTS['train']}"],
        **{"fingerprint": "f1", "partitions": 365, "release": "r1", "settings": "s1"},
    }
    (folder / "_plan.json").write_text(json.dumps(origin))


def _split(random: np.random.Generator, split: str, rows: int = 400) -> pd.DataFrame:
    values = {name: random.integers(1, 90, rows).astype(float) for name in FEATURES}
    frame = pd.DataFrame(values).assign(
        customer_id=np.arange(rows), snapshot_date=SNAPSHOTS[split], split=split
    )
    frame[LABEL] = (
        None if split == "score" else (random.random(rows) < (frame["recency_days"] / 90) ** 3).astype(float)
    )
    return frame.astype({LABEL: "Float64"})
