"""A small extract, and a model that is trained on it."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from ml import train
from ml.features import FEATURES, LABEL

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
    extract.to_parquet(folder / "part-0.parquet", index=False)
    return str(folder)


@pytest.fixture(scope="session")
def version(spark: SparkSession, examples: str, config: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of a version trained on the extract."""
    uri = str(tmp_path_factory.mktemp("models") / "v1")
    train.main(["--examples", examples, "--output", uri, "--model-config", config, "--version", "v1"])
    return uri


def _split(random: np.random.Generator, split: str, rows: int = 400) -> pd.DataFrame:
    values = {name: random.integers(1, 90, rows).astype(float) for name in FEATURES}
    frame = pd.DataFrame(values).assign(
        customer_id=np.arange(rows), snapshot_date=SNAPSHOTS[split], split=split
    )
    frame[LABEL] = (
        None if split == "score" else (random.random(rows) < (frame["recency_days"] / 90) ** 3).astype(float)
    )
    return frame.astype({LABEL: "Float64"})
